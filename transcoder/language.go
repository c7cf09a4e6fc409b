package transcoder

import (
	"fmt"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"manifold/origin/pack"
)

// labelOf is the name of a track: the given one, else what the language calls
// itself ("Deutsch"), else the tag.
func labelOf(label, tag string) string {
	if label != "" {
		return label
	}
	if t, err := language.Parse(tag); err == nil {
		if name := display.Self.Name(t); name != "" {
			return name
		}
	}
	return tag
}

// iso639 is the three-letter code that the MP4 media header takes.
func iso639(tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return "und"
	}
	base, _ := t.Base()
	return base.ISO3()
}

// bcp47 is the BCP 47 tag of what a file says of a stream ("ger", "eng").
func bcp47(code string) string {
	t, err := language.Parse(code)
	if err != nil {
		return "und"
	}
	return t.String()
}

// timecode is a source of cues that say when they are: one a second, from the
// beginning of the segment, in media time, and in UTC where it is known.
type timecode string

func (lang timecode) Cues(start, end time.Duration, wall time.Time) []pack.Cue {
	var cues []pack.Cue
	for at := start; at < end; at += time.Second {
		ms := at.Round(time.Millisecond).Milliseconds()
		text := fmt.Sprintf("[%s] %02d:%02d:%02d.%03d", string(lang), ms/3600_000, ms/60_000%60, ms/1000%60, ms%1000)
		if !wall.IsZero() {
			text += "\n" + wall.Add(at-start).UTC().Format("2006-01-02 15:04:05.000 UTC")
		}
		cues = append(cues, pack.Cue{Start: at, End: min(at+time.Second, end), Text: text})
	}
	return cues
}
