package finding

import (
	"encoding/json"
	"io"
	"time"
)

// The JSON form of a report; its names are stable.
type jsonFinding struct {
	Rule       ID            `json:"rule"`
	Severity   string        `json:"severity"`
	Title      string        `json:"title"`
	Found      string        `json:"found,omitempty"`
	Where      string        `json:"where"`
	URL        string        `json:"url,omitempty"`
	Reload     int           `json:"reload,omitempty"`
	Previous   int           `json:"previous_reload,omitempty"`
	At         time.Time     `json:"at"`
	Last       time.Time     `json:"last"`
	Count      int           `json:"count"`
	Before     []Line        `json:"before,omitempty"`
	After      []Line        `json:"after,omitempty"`
	Clause     string        `json:"clause"`
	Cure       string        `json:"cure"`
	Known      string        `json:"known,omitempty"`
	Places     []string      `json:"places,omitempty"`
	MorePlaces int           `json:"more_places,omitempty"`
	Under      []jsonFinding `json:"consequences,omitempty"`
}

type jsonReport struct {
	URL             string        `json:"url"`
	Kind            string        `json:"kind"`
	Began           time.Time     `json:"began"`
	Ended           time.Time     `json:"ended"`
	Edges           int           `json:"edges"`
	Client          string        `json:"client"`
	Failed          bool          `json:"failed"`
	Violations      int           `json:"violations"`
	Warnings        int           `json:"warnings"`
	Notes           int           `json:"notes"`
	Known           int           `json:"known"`
	SegmentsSeen    int           `json:"segments_seen"`
	SegmentsFetched int           `json:"segments_fetched"`
	Bytes           int64         `json:"bytes"`
	Facts           []string      `json:"facts,omitempty"`
	Resources       []Resource    `json:"documents"`
	Findings        []jsonFinding `json:"findings"`
	Lost            int           `json:"findings_not_kept,omitempty"`
}

// WriteJSON writes a report for machines.
func (r *Report) WriteJSON(w io.Writer) error {
	j := jsonReport{URL: r.URL, Kind: r.Kind, Began: r.Began.UTC(), Ended: r.Ended.UTC(), Edges: r.Edges, Client: r.Client,
		Failed: r.Failed(), SegmentsSeen: r.SegmentsSeen, SegmentsFetched: r.SegmentsFetched, Bytes: r.Bytes,
		Facts: r.Facts, Resources: r.Resources, Lost: r.Lost, Findings: jsonList(r.Findings)}
	j.Violations, j.Warnings, j.Notes, j.Known = r.Counts()
	if j.Resources == nil {
		j.Resources = []Resource{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(j)
}

func jsonList(list []*Finding) []jsonFinding {
	out := make([]jsonFinding, 0, len(list))
	for _, f := range list {
		out = append(out, jsonFinding{
			Rule: f.Rule.ID, Severity: f.Rule.Severity.String(), Title: f.Rule.Title, Found: f.Said, Where: f.Where, URL: f.URL,
			Reload: f.Reload, Previous: f.Previous, At: f.At.UTC(), Last: f.Last.UTC(), Count: f.Count,
			Before: f.Before, After: f.After, Clause: f.Rule.Clause, Cure: f.Rule.Cure, Known: f.Known,
			Places: f.Places, MorePlaces: f.MorePlaces, Under: jsonList(f.Under),
		})
	}
	return out
}
