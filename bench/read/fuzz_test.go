package read

import (
	"testing"
)

// What is hostile to the libraries is the first that these are fed.
func FuzzMedia(f *testing.F) {
	for _, s := range []string{goodMedia, "#EXT-X-MAP:\n0", "#EXT-X-KEY:\n00", "#EXTM3U\n#EXTINF:1,\nx", "#EXTM3U\r\n#EXT-X-SKIP:SKIPPED-SEGMENTS=18446744073709551615\r\n#EXTINF:9999999999,\r\nx\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		m := ParseMedia(b, Environment{})
		SecondMedia(b, m)
		Sniff(b)
	})
}

func FuzzMaster(f *testing.F) {
	for _, s := range []string{"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx", "#EXT-X-MEDIA:TYPE=AUDIO", "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{$a}\"\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"{$a}\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		SecondMaster(b, ParseMaster(b, nil))
	})
}

func FuzzMPD(f *testing.F) {
	for _, s := range []string{goodMPD, "<MPD", "<MPD><Period><AdaptationSet><Representation><SegmentTemplate><SegmentTimeline><S d='1' r='-1'/>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		SecondMPD(b, ParseMPD(b, nil))
	})
}

func FuzzSteering(f *testing.F) {
	f.Add([]byte(`{"VERSION":1,"TTL":5,"RELOAD-URI":"x","PATHWAY-PRIORITY":["a"],"PATHWAY-CLONES":[{"BASE-ID":"a","ID":"b","URI-REPLACEMENT":{"HOST":"h"}}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = ParseSteering(b) })
}
