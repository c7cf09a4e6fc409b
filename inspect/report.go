package inspect

import (
	"encoding/json"
	"strconv"
	"time"
)

// Report is what was found out about one manifest. Of Multivariant, Media and
// MPD the one is there that the manifest is; none where it cannot be read.
type Report struct {
	// Name is where the manifest is from: a URL or a file's name.
	Name string `json:"name"`
	// Kind is "hls-multivariant", "hls-media" or "dash"; "" where the manifest
	// cannot be read.
	Kind string `json:"kind,omitempty"`
	// HTTP is how it came; nil for a file.
	HTTP *Answer `json:"http,omitempty"`
	// Bytes is its size, Gzip that of its gzip form at the usual level.
	Bytes int `json:"bytes"`
	Gzip  int `json:"gzip_bytes"`
	// Compile is how long the edge takes to compile a version of it.
	Compile Seconds `json:"compile_seconds"`

	Multivariant *Multivariant `json:"multivariant,omitempty"`
	Media        *Media        `json:"media,omitempty"`
	MPD          *MPD          `json:"mpd,omitempty"`

	Opinions []Opinion `json:"second_opinions,omitempty"`
	Problems []Problem `json:"problems"`
	// Playlists are those that a multivariant playlist lists, one level deep,
	// where they were asked for.
	Playlists []*Report `json:"playlists,omitempty"`
	// Together is how the streams of an MPD, or of the Playlists, lie beside one
	// another; nil where there are none.
	Together *Presentation `json:"together,omitempty"`
}

// Errors counts the problems of grade [Error], those of Playlists included.
func (r *Report) Errors() int { return r.count(Error) }

// Warnings counts the problems of grade [Warning] alike.
func (r *Report) Warnings() int { return r.count(Warning) }

func (r *Report) count(g Grade) (n int) {
	for i := range r.Problems {
		if r.Problems[i].Grade == g {
			n++
		}
	}
	for _, p := range r.Playlists {
		n += p.count(g)
	}
	return n
}

// Answer is what an HTTP server said along with a manifest.
type Answer struct {
	// URL is where the manifest was in the end; Redirects led there.
	URL       string   `json:"url"`
	Redirects []string `json:"redirects,omitempty"`
	Protocol  string   `json:"protocol"`
	Status    int      `json:"status"`
	MediaType string   `json:"media_type,omitempty"`
	// Encoding is the Content-Encoding, Wire the bytes of the body as they were
	// sent.
	Encoding     string `json:"encoding,omitempty"`
	Wire         int    `json:"wire_bytes"`
	Server       string `json:"server,omitempty"`
	CacheControl string `json:"cache_control,omitempty"`
	CacheStatus  string `json:"cache_status,omitempty"`
	// Age is the Age field in seconds; nil where there is none.
	Age *int `json:"age,omitempty"`
	// Took is the time to the end of the body.
	Took Seconds `json:"took_seconds"`
}

// Seconds is a time span that JSON shows as a number of seconds.
type Seconds time.Duration

// MarshalJSON gives a number of seconds, to the microsecond.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(s).Round(time.Microsecond))/float64(time.Second), 'f', -1, 64), nil
}

// UnmarshalJSON reads a number of seconds.
func (s *Seconds) UnmarshalJSON(text []byte) error {
	var f float64
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	*s = Seconds(f * float64(time.Second))
	return nil
}

// Stream is one variant, rendition or Representation.
type Stream struct {
	Kind      string  `json:"kind"`
	ID        string  `json:"id,omitempty"`
	URI       string  `json:"uri,omitempty"`
	Pathway   string  `json:"pathway,omitempty"`
	Bitrate   int     `json:"bitrate,omitempty"`
	Average   int     `json:"average_bitrate,omitempty"`
	Width     int     `json:"width,omitempty"`
	Height    int     `json:"height,omitempty"`
	FrameRate float64 `json:"frame_rate,omitempty"`
	Codecs    string  `json:"codecs,omitempty"`
	// Range is SDR, HLG or PQ.
	Range string `json:"range,omitempty"`
	// Audio, Video, Subtitles and Captions are the groups that a variant names.
	Audio     string `json:"audio,omitempty"`
	Video     string `json:"video,omitempty"`
	Subtitles string `json:"subtitles,omitempty"`
	Captions  string `json:"captions,omitempty"`
	// Group, Name, Language, Default, Channels and InStream are a rendition's.
	Group    string `json:"group,omitempty"`
	Name     string `json:"name,omitempty"`
	Language string `json:"language,omitempty"`
	Default  bool   `json:"default,omitempty"`
	Forced   bool   `json:"forced,omitempty"`
	Channels string `json:"channels,omitempty"`
	InStream string `json:"instream_id,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// Steering is a content steering declaration.
type Steering struct {
	Server string `json:"server"`
	// First is the pathway or service location that players begin with.
	First            string `json:"first,omitempty"`
	QueryBeforeStart bool   `json:"query_before_start,omitempty"`
}

// Key is a kind of encryption that segments, or streams, are under.
type Key struct {
	// Method is AES-128, SAMPLE-AES, cenc, cbcs …; Format the key format, or
	// the name of the DRM system.
	Method string `json:"method,omitempty"`
	Format string `json:"format,omitempty"`
	URI    string `json:"uri,omitempty"`
	// ID is the default key id of DASH.
	ID string `json:"id,omitempty"`
	// Times is how often it is declared.
	Times int `json:"times"`
}

// Count is a thing and how often it is there.
type Count struct {
	Name  string `json:"name"`
	Times int    `json:"times"`
}

// tally counts names in the order of their first coming.
type tally struct {
	list []Count
	at   map[string]int
}

func (t *tally) add(name string) {
	if i, ok := t.at[name]; ok {
		t.list[i].Times++
		return
	}
	if t.at == nil {
		t.at = make(map[string]int)
	}
	t.at[name] = len(t.list)
	t.list = append(t.list, Count{name, 1})
}
