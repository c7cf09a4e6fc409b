package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// viewer is a small HLS player without a decoder: it fetches a live programme
// as hls.js would (steering, pathway fallback, buffer), in real time, and
// counts what it got from whom and how long its picture would have stood.
type viewer struct {
	name   string
	client *http.Client
	entry  string
	buffer time.Duration // how much it keeps ahead
	cdnOf  func(u *url.URL) string

	mu     sync.Mutex
	counts map[string]int // segments by CDN
	last   string         // CDN of the newest segment
	proto  string         // protocol of the newest segment
	stall  time.Duration
	played time.Duration
	errs   []string

	variants map[string]string // media playlist by pathway
	order    []string          // pathways, best first
	penalty  map[string]time.Time
	steerURL string
	ttl      time.Duration
	nextMSN  uint64
}

// report is what a viewer has seen so far.
type report struct {
	Name, Last, Proto string
	Counts            map[string]int
	Stall, Played     time.Duration
	Errors            []string
}

func (v *viewer) report() report {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := report{Name: v.name, Last: v.last, Proto: v.proto, Stall: v.stall, Played: v.played, Counts: map[string]int{}}
	for k, n := range v.counts {
		r.Counts[k] = n
	}
	r.Errors = append(r.Errors, v.errs...)
	return r
}

// watch plays until ctx ends.
func (v *viewer) watch(ctx context.Context) error {
	v.counts, v.penalty = map[string]int{}, map[string]time.Time{}
	if err := v.open(ctx); err != nil {
		return err
	}
	var ahead time.Duration // buffered media
	playing := false
	steerAt := time.Now()
	clock := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := v.fill(ctx, ahead)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			v.note(err)
		}
		ahead += got
		now := time.Now()
		if spent := now.Sub(clock); playing {
			v.mu.Lock()
			v.played += min(spent, ahead)
			if spent > ahead {
				v.stall += spent - ahead
			}
			v.mu.Unlock()
			ahead = max(0, ahead-spent)
		} else if ahead >= v.buffer*4/5 {
			// A live programme that has just begun offers less at first. To start
			// on that would leave no more for the rest of the session.
			playing = true
		}
		clock = now
		if v.steerURL != "" && now.After(steerAt) {
			if err := v.steer(ctx); err != nil && ctx.Err() == nil {
				v.note(err)
			}
			steerAt = now.Add(v.ttl)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (v *viewer) note(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.errs) < 20 {
		v.errs = append(v.errs, err.Error())
	}
}

// open reads the multivariant playlist: one variant per pathway, the first of
// each.
func (v *viewer) open(ctx context.Context) error {
	body, at, _, err := v.get(ctx, v.entry)
	if err != nil {
		return fmt.Errorf("cannot open programme: %w", err)
	}
	v.variants = map[string]string{}
	pathway := ""
	for line := range lines(body) {
		switch {
		case strings.HasPrefix(line, "#EXT-X-CONTENT-STEERING:"):
			v.steerURL = resolve(at, attribute(line, "SERVER-URI"))
			v.order = []string{attribute(line, "PATHWAY-ID")}
		case strings.HasPrefix(line, "#EXT-X-STREAM-INF:"):
			pathway = attribute(line, "PATHWAY-ID")
		case line != "" && line[0] != '#':
			if _, have := v.variants[pathway]; !have {
				v.variants[pathway] = resolve(at, line)
			}
		}
	}
	if v.steerURL == "" || len(v.variants) < 2 {
		return fmt.Errorf("the multivariant playlist declares no steering over several pathways")
	}
	v.ttl = 3 * time.Second
	return v.steer(ctx)
}

// steer asks the steering server (draft-pantos-content-steering).
func (v *viewer) steer(ctx context.Context) error {
	body, _, _, err := v.get(ctx, v.steerURL+"?_HLS_pathway=%22"+url.QueryEscape(v.pathway())+"%22")
	if err != nil {
		return fmt.Errorf("cannot ask for steering: %w", err)
	}
	var a struct {
		Version  int      `json:"VERSION"`
		TTL      int      `json:"TTL"`
		Reload   string   `json:"RELOAD-URI"`
		Priority []string `json:"PATHWAY-PRIORITY"`
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Version != 1 || a.TTL < 1 || len(a.Priority) == 0 {
		return fmt.Errorf("the steering answer is not usable: %.100s", body)
	}
	v.order, v.ttl, v.steerURL = a.Priority, time.Duration(a.TTL)*time.Second, a.Reload
	return nil
}

// penaltyTime is how long a pathway that failed is avoided.
const penaltyTime = 8 * time.Second

// pathway is the one to use now.
func (v *viewer) pathway() string {
	for _, p := range v.order {
		if v.variants[p] != "" && time.Now().After(v.penalty[p]) {
			return p
		}
	}
	return v.order[0]
}

// fill fetches what is new, up to the buffer's size, and gives its duration.
func (v *viewer) fill(ctx context.Context, ahead time.Duration) (got time.Duration, err error) {
	if ahead >= v.buffer {
		return 0, nil
	}
	p := v.pathway()
	body, at, _, err := v.get(ctx, v.variants[p])
	if err != nil {
		return 0, fmt.Errorf("cannot reload media playlist: %w", err)
	}
	segments, first := mediaSegments(body)
	if v.nextMSN == 0 { // join behind the live edge
		behind := time.Duration(0)
		v.nextMSN = first + uint64(len(segments))
		for i := len(segments) - 1; i >= 0 && behind < v.buffer; i-- {
			behind += segments[i].duration
			v.nextMSN--
		}
	}
	if v.nextMSN < first {
		return 0, fmt.Errorf("the window left the player behind")
	}
	for i, s := range segments {
		if first+uint64(i) != v.nextMSN || ahead+got >= v.buffer {
			continue
		}
		u := resolve(at, s.uri)
		_, from, proto, err := v.get(ctx, u)
		if err != nil {
			if ctx.Err() == nil {
				v.penalty[p] = time.Now().Add(penaltyTime)
			}
			return got, nil // another pathway is tried at once
		}
		v.mu.Lock()
		v.last, v.proto = v.cdnOf(from), proto
		v.counts[v.last]++
		v.mu.Unlock()
		got += s.duration
		v.nextMSN++
	}
	return got, nil
}

type mediaSegment struct {
	uri      string
	duration time.Duration
}

// mediaSegments reads a media playlist.
func mediaSegments(body []byte) (list []mediaSegment, first uint64) {
	var d float64
	for line := range lines(body) {
		switch {
		case strings.HasPrefix(line, "#EXT-X-MEDIA-SEQUENCE:"):
			first, _ = strconv.ParseUint(line[len("#EXT-X-MEDIA-SEQUENCE:"):], 10, 64)
		case strings.HasPrefix(line, "#EXTINF:"):
			text, _, _ := strings.Cut(line[len("#EXTINF:"):], ",")
			d, _ = strconv.ParseFloat(text, 64)
		case line != "" && line[0] != '#':
			list = append(list, mediaSegment{line, time.Duration(d * float64(time.Second))})
		}
	}
	return list, first
}

// maxObject bounds what the viewer reads of one answer.
const maxObject = 64 << 20

// get fetches a URL; at is where redirects led.
func (v *viewer) get(ctx context.Context, u string) (body []byte, at *url.URL, proto string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, nil, "", err
	}
	req.Header.Set("User-Agent", "manifold-demo-viewer/"+v.name)
	res, err := v.client.Do(req)
	if err != nil {
		return nil, nil, "", err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxObject))
	if err != nil {
		return nil, nil, "", err
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil, "", fmt.Errorf("%s answered %d: %s", res.Request.URL.Host, res.StatusCode, strings.TrimSpace(string(body[:min(len(body), 200)])))
	}
	return body, res.Request.URL, res.Proto, nil
}

func lines(body []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		s := bufio.NewScanner(strings.NewReader(string(body)))
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			if !yield(s.Text()) {
				return
			}
		}
	}
}

// attribute gives a quoted attribute of a tag.
func attribute(line, name string) string {
	_, rest, ok := strings.Cut(line, name+`="`)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

func resolve(base *url.URL, ref string) string {
	u, err := base.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}
