package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"testing"
	"time"
)

// Many lives of the encoder, some cut off in the middle of a segment, some
// that give nothing: every version of every manifest continues the one before.
func TestContinuity(t *testing.T) {
	s := newSink()
	clock := newClock()
	p := newPackager(t, config(true), s, clock.now)
	whole := streams(t, 40)
	lives := []struct {
		seconds float64
		broken  bool
	}{{5, false}, {7.3, true}, {1, true}, {0.5, true}, {31, false}, {2.5, true}, {12, false}, {3, true}, {40, false}}
	for i, life := range lives {
		tracks := make([][]byte, len(whole))
		for j := range whole {
			if j < 2 {
				tracks[j] = video(t, life.seconds)
			} else {
				tracks[j] = audio(t, life.seconds-float64(j-2)*0.7) // the last track lags
			}
			if life.broken {
				tracks[j] = tracks[j][:len(tracks[j])-50]
			}
		}
		err := play(t, p, "", tracks, false)
		if (err != nil) != life.broken {
			t.Errorf("life %d: %v", i, err)
		}
		clock.move(time.Duration(life.seconds*float64(time.Second)) + time.Duration(i)*700*time.Millisecond)
		if st := p.Status(); st.Listed > 6 || len(p.runs) > 6 {
			t.Fatalf("life %d: %d segments in %d runs listed, the window is 10 s", i, st.Listed, len(p.runs))
		}
	}
	for name, versions := range s.history {
		if path.Base(name) == "index.m3u8" {
			if len(versions) < 30 {
				t.Errorf("%s: only %d versions", name, len(versions))
			}
			checkHistory(t, name, versions)
		}
	}
	checkMedia(t, s, "p/x")
	var publish string
	for _, text := range s.history["p/x/manifest.mpd"] {
		_, at, _ := strings.Cut(string(text), `publishTime="`)
		if at = at[:24]; at <= publish {
			t.Errorf("publishTime %s after %s", at, publish)
		}
		publish = at
	}
	// Renditions agree: same numbers, same discontinuities.
	v, a, text := checkListing(t, "v", s.get("p/x/v360/index.m3u8")), checkListing(t, "a", s.get("p/x/audio-de/index.m3u8")), checkListing(t, "text-", s.get("p/x/text-en/index.m3u8"))
	for i := range v.segments {
		for _, other := range []listed{a.segments[i], text.segments[i]} {
			if v.segments[i].number != other.number || v.segments[i].discontinuity != other.discontinuity {
				t.Errorf("renditions disagree: %+v and %+v", v.segments[i], other)
			}
		}
	}
}

// A segment leaves when nobody can hold a playlist with it any more, not
// before, and the memory of a long life does not grow.
func TestWindowAndExpiry(t *testing.T) {
	s := newSink()
	clock := newClock()
	p := newPackager(t, config(true), s, clock.now)
	// All tracks are there but the first, which is as long as the clock moves:
	// 2 s for each of its segments.
	s.refuse = func(name string) error {
		if strings.HasPrefix(name, "p/x/v360/") && strings.HasSuffix(name, ".m4s") {
			clock.move(2 * time.Second)
		}
		return nil
	}
	feed := func(tracks [][]byte) *Run {
		ctx := context.Background()
		run, err := p.Begin(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for i := len(tracks) - 1; i >= 0; i-- {
			if err := run.Feed(ctx, i, bytes.NewReader(tracks[i])); err != nil {
				t.Fatal(err)
			}
		}
		if err := run.End(ctx, false); err != nil {
			t.Fatal(err)
		}
		return run
	}
	run := feed(streams(t, 121))
	if n := cap(run.tracks[0].segments); n > 64 {
		t.Errorf("%d segments remembered", n)
	}
	// 60 segments were listed; the last 6 are, and 8 more are kept.
	for number := run.first; number < p.next; number++ {
		for _, name := range []string{"v240/%d/%d.m4s", "audio-de/%d/%d.m4s", "text-en/%d/%d.m4s", "text-en/%d/%d.vtt"} {
			name = fmt.Sprintf("p/x/"+name, run.first, number)
			if there := s.objects[name] != nil; there != (number >= p.next-6-8) {
				t.Errorf("%s, %d before the end: %v", name, p.next-number, there)
			}
		}
	}
	// The first run's header goes with its last segment.
	header := fmt.Sprintf("p/x/audio-de/%d/init.mp4", run.first)
	feed(streams(t, 60))
	if s.objects[header] != nil {
		t.Error("the header of a run that left is still there")
	}
	if p.dsn != 1 {
		t.Errorf("after the first run left: discontinuity sequence %d", p.dsn)
	}
}

// A restart of the program into a sink that can be read: numbers, dates and
// discontinuities go on.
func TestResume(t *testing.T) {
	s := newSink()
	clock := newClock()
	var before Status
	for life := range 4 {
		p := newPackager(t, config(true), readable{s}, clock.now)
		for range 2 {
			if err := play(t, p, "", streams(t, 9), false); err != nil {
				t.Fatal(err)
			}
		}
		after := p.Status()
		if life > 0 && (after.First < before.Next || !after.Edge.After(before.Edge)) {
			t.Errorf("life %d: %+v after %+v", life, after, before)
		}
		before = after
		clock.move(-time.Minute) // also where the clock was put back
	}
	for name, versions := range s.history {
		if path.Base(name) == "index.m3u8" {
			checkHistory(t, name, versions)
		}
	}
	l := checkListing(t, "v", s.get("p/x/v360/index.m3u8"))
	if l.segments[len(l.segments)-1].discontinuity != 7 {
		t.Errorf("eight encoder starts, and the last segment's discontinuity is %d", l.segments[len(l.segments)-1].discontinuity)
	}
	// What the earlier lives listed goes in time.
	clock.move(time.Hour)
	p := newPackager(t, config(true), readable{s}, clock.now)
	if err := play(t, p, "", streams(t, 9), false); err != nil {
		t.Fatal(err)
	}
	clock.move(time.Hour)
	if err := play(t, p, "", streams(t, 9), false); err != nil {
		t.Fatal(err)
	}
	for _, old := range l.segments {
		if s.objects["p/x/v360/"+old.uri] != nil || s.objects["p/x/v360/"+old.header] != nil {
			t.Errorf("%s of an earlier life is still there", old.uri)
		}
	}
}

func TestResumeNeedsTheSink(t *testing.T) {
	broken := errors.New("no answer")
	p := newPackager(t, config(true), getter{newSink(), broken}, newClock().now)
	if _, err := p.Begin(context.Background(), ""); !errors.Is(err, broken) {
		t.Errorf("began without knowing what went before: %v", err)
	}
}

type getter struct {
	*sink
	err error
}

func (g getter) Get(context.Context, string) ([]byte, error) { return nil, g.err }

// No track is listed before all have the segment.
func TestLockstep(t *testing.T) {
	s := newSink()
	p := newPackager(t, config(true), s, newClock().now)
	run, err := p.Begin(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	data := streams(t, 11)
	pr, pw := io.Pipe()
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			if err := run.Feed(context.Background(), i, bytes.NewReader(data[i])); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if st := p.Status(); st.Listed != 0 {
		t.Errorf("%d segments listed without the last track", st.Listed)
	}
	wg.Go(func() {
		if err := run.Feed(context.Background(), 3, pr); err != nil {
			t.Error(err)
		}
	})
	if _, err := pw.Write(data[3]); err != nil {
		t.Fatal(err)
	}
	_ = pw.Close()
	wg.Wait()
	if st := p.Status(); st.Listed != 5 || !st.Ready {
		t.Errorf("%+v", st)
	}
	if err := run.End(context.Background(), false); err != nil {
		t.Fatal(err)
	}
}

// What cannot be stored ends the run, and a later one carries on.
func TestSinkFails(t *testing.T) {
	full := errors.New("no space left")
	for _, fails := range []string{"init.mp4", ".m4s", ".vtt", "audio-en/index.m3u8", ".mpd", "master.m3u8"} {
		s := newSink()
		clock := newClock()
		p := newPackager(t, config(true), s, clock.now)
		s.refuse = func(name string) error {
			if strings.HasSuffix(name, fails) {
				return full
			}
			return nil
		}
		if err := play(t, p, "", streams(t, 9), true); !errors.Is(err, full) {
			t.Errorf("%s: %v", fails, err)
		}
		s.refuse = nil
		clock.move(20 * time.Second)
		if err := play(t, p, "", streams(t, 9), true); err != nil {
			t.Errorf("%s: afterwards: %v", fails, err)
		}
		for name, versions := range s.history {
			if path.Base(name) == "index.m3u8" {
				checkHistory(t, name, versions)
			}
		}
		checkMedia(t, s, "p/x")
		for name := range s.objects {
			if dir := path.Dir(name); dir != "p/x" && path.Base(name) != "index.m3u8" && !strings.Contains(s.get(path.Dir(dir)+"/index.m3u8"), path.Base(dir)+"/") {
				t.Errorf("%s: %s was taken in and never listed", fails, name)
			}
		}
	}
}

func TestBeginInOrder(t *testing.T) {
	p := newPackager(t, config(true), newSink(), newClock().now)
	ctx := context.Background()
	if _, err := p.Begin(ctx, "../x"); err == nil {
		t.Error("a version that is a path")
	}
	run, err := p.Begin(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Begin(ctx, ""); err == nil {
		t.Error("two runs at one time")
	}
	if err := run.Feed(ctx, 4, strings.NewReader("")); err == nil {
		t.Error("a text track was fed")
	}
	if err := run.End(ctx, true); err == nil {
		t.Error("a run without a stream came to its end")
	}
	if err := p.Finish(ctx); err == nil {
		t.Error("an empty presentation was finished")
	}
}

func TestReadOldForeign(t *testing.T) {
	o := readOld([]byte("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-5\n#EXT-X-DISCONTINUITY-SEQUENCE:99999999999999999999\n#EXTINF:nan,\nhttp://example.com/1.ts\n../../etc/passwd\n#EXT-X-MAP:URI=\"../x\"\n7/8.m4s\n"))
	if o.next != 1 || o.discontinuities != 0 || len(o.uris) != 1 || o.uris[0] != "7/8.m4s" {
		t.Errorf("%+v", o)
	}
}
