package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

type closing struct {
	strings.Reader
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

func TestFields(t *testing.T) {
	ex := Acquire(context.Background(), nil)
	defer Release(ex)
	ex.SetField("ETag", `"1"`)
	ex.AddField("Link", "a")
	ex.AddField("Link", "b")
	ex.SetField("ETag", `"2"`)
	want := []Field{{"ETag", `"2"`}, {"Link", "a"}, {"Link", "b"}}
	if !slices.Equal(ex.Fields(), want) {
		t.Errorf("fields %v, want %v", ex.Fields(), want)
	}
	if got := ex.ResponseField("Link"); got != "a" {
		t.Errorf("ResponseField(Link) = %q", got)
	}
	ex.DelField("Link")
	if !slices.Equal(ex.Fields(), want[:1]) || ex.ResponseField("Link") != "" {
		t.Errorf("after DelField: %v", ex.Fields())
	}
}

func TestFailDropsTheContentBefore(t *testing.T) {
	ex := Acquire(context.Background(), nil)
	defer Release(ex)
	s := &closing{}
	ex.Stream, ex.StreamSize = s, 7
	ex.SetField("Content-Encoding", "gzip")
	ex.SetField("ETag", `"1"`)
	ex.SetField("Access-Control-Allow-Origin", "*")
	ex.Fail(502, "origin sent no manifest")
	if s.closed != 1 || ex.Stream != nil {
		t.Errorf("stream closed %d times, left %v", s.closed, ex.Stream)
	}
	want := []Field{
		{"Access-Control-Allow-Origin", "*"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Cache-Control", "no-store"},
	}
	if !slices.Equal(ex.Fields(), want) || string(ex.Body) != "origin sent no manifest\n" || ex.Status != 502 {
		t.Errorf("%d %v %q", ex.Status, ex.Fields(), ex.Body)
	}
}

func TestReleaseClosesTheStreamAndForgets(t *testing.T) {
	ex := Acquire(context.Background(), &Gate{})
	s := &closing{}
	ex.Stream = s
	ex.SetField("A", "b")
	ex.Body = append(ex.Body, make([]byte, maxKeptBody+1)...)
	if err := ex.SetTarget("/a%20b?c"); err != nil || ex.Path != "/a b" || ex.RawQuery != "c" || ex.Target != "/a%20b?c" {
		t.Fatalf("SetTarget: %q %q %q %v", ex.Path, ex.RawQuery, ex.Target, err)
	}
	Release(ex)
	if s.closed != 1 {
		t.Errorf("stream closed %d times", s.closed)
	}
	if ex.Path != "" || len(ex.Fields()) != 0 || len(ex.Body) != 0 || cap(ex.Body) > maxKeptBody || ex.Gate() != nil || ex.Context() != nil {
		t.Errorf("released exchange remembers: %+v", ex)
	}
}

// What is shared is sent, but neither kept nor written, whatever comes after.
func TestShared(t *testing.T) {
	shared := []byte("all viewers read this")
	ex := Acquire(context.Background(), nil)
	ex.Body = append(ex.Body[:0], "mine"...)
	if string(ex.Content()) != "mine" {
		t.Errorf("content %q", ex.Content())
	}
	ex.Shared = shared
	if string(ex.Content()) != string(shared) {
		t.Errorf("content %q", ex.Content())
	}
	ex.Fail(500, "failed")
	if string(ex.Content()) != "failed\n" || string(shared) != "all viewers read this" {
		t.Errorf("content %q, shared %q", ex.Content(), shared)
	}
	ex.Shared = shared
	Release(ex)
	if ex.Shared != nil || cap(ex.Body) > 0 && &ex.Body[:1][0] == &shared[0] {
		t.Error("a released exchange holds what was shared")
	}
}

func TestOwns(t *testing.T) {
	ex := Acquire(context.Background(), nil)
	defer Release(ex)
	if err := ex.SetTarget("/a/b?c"); err != nil {
		t.Fatal(err)
	}
	ex.Text = append(ex.Text, "piece"...)
	for _, s := range []string{ex.Path, ex.Path[3:], ex.Piece(0)} {
		if !ex.Owns(s) {
			t.Errorf("%q is in the exchange's storage", s)
		}
	}
	for _, s := range []string{"", "constant", strings.Clone(ex.Path), ex.Target, ex.RawQuery} {
		if ex.Owns(s) {
			t.Errorf("%q is not in the exchange's storage", s)
		}
	}
}

func TestSetTargetRefuses(t *testing.T) {
	ex := Acquire(context.Background(), nil)
	defer Release(ex)
	if err := ex.SetTarget("/a/../b"); !errors.Is(err, ErrDotSegment) || ex.Path != "" {
		t.Errorf("path %q, error %v", ex.Path, err)
	}
}

func TestGate(t *testing.T) {
	all := &Gate{Limit: 3}
	a, b := &Gate{Limit: 2, Parent: all}, &Gate{Limit: 2, Parent: all}
	steps := []struct {
		gate *Gate
		want bool
	}{{a, true}, {a, true}, {a, false}, {b, true}, {b, false}}
	for i, s := range steps {
		if got := s.gate.Enter(); got != s.want {
			t.Fatalf("step %d: Enter = %v, want %v", i, got, s.want)
		}
	}
	if a.Waiting() != 2 || b.Waiting() != 1 || all.Waiting() != 3 {
		t.Fatalf("waiting %d, %d, together %d", a.Waiting(), b.Waiting(), all.Waiting())
	}
	a.Leave()
	if !b.Enter() || all.Waiting() != 3 {
		t.Error("a place given back was not taken")
	}
	var none *Gate
	if !none.Enter() {
		t.Error("a nil gate held somebody back")
	}
	none.Leave()
	if (&Gate{}).Enter() {
		t.Error("the zero gate let somebody in")
	}
}
