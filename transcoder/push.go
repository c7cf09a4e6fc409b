package transcoder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"manifold/internal/dial"
)

// Push is a pack.Sink that sends objects to a content server (manifold
// origin, or any that takes PUT and DELETE).
type Push struct {
	base   string
	token  string
	client *http.Client
}

const (
	pushAttempts = 3
	pushTime     = 10 * time.Second
	pushPause    = 200 * time.Millisecond
)

// NewPush makes a sink for the server whose root is at base
// ("http://127.0.0.1:9000/"). The token is sent as a bearer token; it may be
// empty. Names ending in ".localhost" are this machine (RFC 6761).
func NewPush(base, token string) (*Push, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("cannot push to %q: it is not an http or https URL of a host and a path", base)
	}
	transport := &http.Transport{
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       time.Minute,
		ResponseHeaderTimeout: pushTime,
		ForceAttemptHTTP2:     true,
		DialContext:           dial.Localhost,
	}
	return &Push{
		base:  strings.TrimSuffix(u.String(), "/") + "/",
		token: token,
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}, nil
}

// Put sends an object. A server that fails or cannot be reached is asked
// three times, one that refuses once.
func (p *Push) Put(ctx context.Context, name string, data []byte) error {
	pause := pushPause
	for attempt := 1; ; attempt++ {
		_, final, err := p.send(ctx, http.MethodPut, name, data)
		if err == nil {
			return nil
		}
		if final || attempt == pushAttempts || !sleep(ctx, pause) {
			return fmt.Errorf("cannot push %s: %w", name, err)
		}
		pause *= 2
	}
}

// Get reads an object of at most 4 MiB; fs.ErrNotExist where there is none.
func (p *Push) Get(ctx context.Context, name string) ([]byte, error) {
	pause := pushPause
	for attempt := 1; ; attempt++ {
		data, final, err := p.send(ctx, http.MethodGet, name, nil)
		if err == nil {
			return data, nil
		}
		if final || attempt == pushAttempts || !sleep(ctx, pause) {
			return nil, fmt.Errorf("cannot get %s: %w", name, err)
		}
		pause *= 2
	}
}

// Delete asks for an object to be removed, once.
func (p *Push) Delete(ctx context.Context, name string) error {
	if _, _, err := p.send(ctx, http.MethodDelete, name, nil); err != nil {
		return fmt.Errorf("cannot delete %s: %w", name, err)
	}
	return nil
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// send makes one request; final says that another would not go better.
func (p *Push) send(ctx context.Context, method, name string, data []byte) (body []byte, final bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, pushTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.base+(&url.URL{Path: name}).EscapedPath(), bytes.NewReader(data))
	if err != nil {
		return nil, true, err
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, errors.Is(err, context.Canceled), err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch status := resp.StatusCode; {
	case err != nil:
		return nil, false, err
	case len(body) > maxAnswer:
		return nil, true, fmt.Errorf("the server's answer is longer than %d bytes", maxAnswer)
	case status/100 == 2:
		return body, true, nil
	case status == http.StatusNotFound:
		return nil, true, fmt.Errorf("the server answered %s: %w", resp.Status, fs.ErrNotExist)
	default:
		return nil, status < 500 || status == http.StatusInsufficientStorage,
			fmt.Errorf("the server answered %s: %s", resp.Status, truncate(strings.TrimSpace(string(body)), 300))
	}
}
