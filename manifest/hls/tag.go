package hls

import "manifold/manifest"

// tag numbers the tags that the package looks into; all others are tagOther.
type tag uint8

const (
	tagOther tag = iota

	// Either kind of playlist, section 4.4.1 and 4.4.2 of rfc8216bis.
	tagVersion
	tagDefine

	// Media playlists, sections 4.4.3 to 4.4.5.
	tagInf
	tagTargetDuration
	tagMediaSequence
	tagDiscontinuitySequence
	tagEndList
	tagPlaylistType
	tagIFramesOnly
	tagPartInf
	tagServerControl
	tagByteRange
	tagDiscontinuity
	tagKey
	tagMap
	tagProgramDateTime
	tagGap
	tagBitrate
	tagPart
	tagDateRange
	tagSkip
	tagPreloadHint
	tagRenditionReport
	tagPrefetch // of the open low-latency draft before parts, FFmpeg's -lhls

	// Multivariant playlists, section 4.4.6. EXT-X-IMAGE-STREAM-INF is the
	// open image-playlist extension that players of televisions read.
	tagMedia
	tagStreamInf
	tagIFrameStreamInf
	tagImageStreamInf
	tagSessionData
	tagSessionKey
	tagContentSteering

	// Cues outside the specification, as packagers write them.
	tagCueOut
	tagCueOutCont
	tagCueIn
	tagCue
	tagSCTE35
	tagOATCLS
	tagSplicePoint

	// tagNone stands for a URI line that belongs to no tag.
	tagNone

	tagCount
)

// tags tells of each tag its name without "#", the kind of playlist it
// belongs to (0: either), and its URI attribute, if it has one.
var tags = [tagCount]struct {
	name     string
	kind     manifest.Kind
	uri      string
	required bool
	segment  bool // belongs to the segments: the head of the playlist ends here
}{
	tagVersion: {name: "EXT-X-VERSION"},
	tagDefine:  {name: "EXT-X-DEFINE"},

	tagInf:                   {name: "EXTINF", kind: manifest.HLSMedia, segment: true},
	tagTargetDuration:        {name: "EXT-X-TARGETDURATION", kind: manifest.HLSMedia},
	tagMediaSequence:         {name: "EXT-X-MEDIA-SEQUENCE", kind: manifest.HLSMedia},
	tagDiscontinuitySequence: {name: "EXT-X-DISCONTINUITY-SEQUENCE", kind: manifest.HLSMedia},
	tagEndList:               {name: "EXT-X-ENDLIST", kind: manifest.HLSMedia},
	tagPlaylistType:          {name: "EXT-X-PLAYLIST-TYPE", kind: manifest.HLSMedia},
	tagIFramesOnly:           {name: "EXT-X-I-FRAMES-ONLY", kind: manifest.HLSMedia},
	tagPartInf:               {name: "EXT-X-PART-INF", kind: manifest.HLSMedia},
	tagServerControl:         {name: "EXT-X-SERVER-CONTROL", kind: manifest.HLSMedia},
	tagByteRange:             {name: "EXT-X-BYTERANGE", kind: manifest.HLSMedia, segment: true},
	tagDiscontinuity:         {name: "EXT-X-DISCONTINUITY", kind: manifest.HLSMedia, segment: true},
	tagKey:                   {name: "EXT-X-KEY", kind: manifest.HLSMedia, uri: "URI", segment: true},
	tagMap:                   {name: "EXT-X-MAP", kind: manifest.HLSMedia, uri: "URI", required: true, segment: true},
	tagProgramDateTime:       {name: "EXT-X-PROGRAM-DATE-TIME", kind: manifest.HLSMedia, segment: true},
	tagGap:                   {name: "EXT-X-GAP", kind: manifest.HLSMedia, segment: true},
	tagBitrate:               {name: "EXT-X-BITRATE", kind: manifest.HLSMedia, segment: true},
	tagPart:                  {name: "EXT-X-PART", kind: manifest.HLSMedia, uri: "URI", required: true, segment: true},
	tagDateRange:             {name: "EXT-X-DATERANGE", kind: manifest.HLSMedia},
	tagSkip:                  {name: "EXT-X-SKIP", kind: manifest.HLSMedia},
	tagPreloadHint:           {name: "EXT-X-PRELOAD-HINT", kind: manifest.HLSMedia, uri: "URI", required: true},
	tagRenditionReport:       {name: "EXT-X-RENDITION-REPORT", kind: manifest.HLSMedia, uri: "URI", required: true},
	tagPrefetch:              {name: "EXT-X-PREFETCH", kind: manifest.HLSMedia},

	tagMedia:           {name: "EXT-X-MEDIA", kind: manifest.HLSMultivariant, uri: "URI"},
	tagStreamInf:       {name: "EXT-X-STREAM-INF", kind: manifest.HLSMultivariant},
	tagIFrameStreamInf: {name: "EXT-X-I-FRAME-STREAM-INF", kind: manifest.HLSMultivariant, uri: "URI", required: true},
	tagImageStreamInf:  {name: "EXT-X-IMAGE-STREAM-INF", kind: manifest.HLSMultivariant, uri: "URI", required: true},
	tagSessionData:     {name: "EXT-X-SESSION-DATA", kind: manifest.HLSMultivariant, uri: "URI"},
	tagSessionKey:      {name: "EXT-X-SESSION-KEY", kind: manifest.HLSMultivariant, uri: "URI", required: true},
	tagContentSteering: {name: "EXT-X-CONTENT-STEERING", kind: manifest.HLSMultivariant, uri: "SERVER-URI", required: true},

	tagCueOut:      {name: "EXT-X-CUE-OUT"},
	tagCueOutCont:  {name: "EXT-X-CUE-OUT-CONT"},
	tagCueIn:       {name: "EXT-X-CUE-IN"},
	tagCue:         {name: "EXT-X-CUE"},
	tagSCTE35:      {name: "EXT-X-SCTE35"},
	tagOATCLS:      {name: "EXT-OATCLS-SCTE35"},
	tagSplicePoint: {name: "EXT-X-SPLICEPOINT-SCTE35"},
}

// byName finds the tag of a line's name, "#" left out.
var byName = func() map[string]tag {
	m := make(map[string]tag, tagCount)
	for t := range tags {
		if tags[t].name != "" {
			m[tags[t].name] = tag(t)
		}
	}
	return m
}()
