package benchmarks

import (
	"bytes"
	"errors"

	dashmpd "github.com/Eyevinn/dash-mpd/mpd"
	eyevinn "github.com/Eyevinn/hls-m3u8/m3u8"
	"github.com/grafov/m3u8"
	godash "github.com/zencoder/go-dash/v3/mpd"
)

// What the libraries do for one viewer: decode, edit, encode.

var errKind = errors.New("the library read another kind of playlist")

func grafovRender(src []byte) ([]byte, error) {
	p, err := grafovDecode(src)
	if err != nil {
		return nil, err
	}
	for _, s := range p.Segments[:p.Count()] {
		s.URI = mediaURL(s.URI)
		if s.Map != nil {
			s.Map.URI = mediaURL(s.Map.URI)
		}
	}
	if p.Map != nil {
		p.Map.URI = mediaURL(p.Map.URI)
	}
	return p.Encode().Bytes(), nil
}

func grafovDecode(src []byte) (*m3u8.MediaPlaylist, error) {
	list, kind, err := m3u8.DecodeFrom(bytes.NewReader(src), true)
	if err != nil {
		return nil, err
	}
	p, ok := list.(*m3u8.MediaPlaylist)
	if !ok || kind != m3u8.MEDIA {
		return nil, errKind
	}
	return p, nil
}

func eyevinnRender(src []byte) ([]byte, error) {
	p, err := eyevinnDecode(src)
	if err != nil {
		return nil, err
	}
	for _, s := range p.Segments[:p.Count()] {
		s.URI = mediaURL(s.URI)
		if s.Map != nil && s.Map != p.Map {
			s.Map.URI = mediaURL(s.Map.URI)
		}
	}
	if p.Map != nil {
		p.Map.URI = mediaURL(p.Map.URI)
	}
	return p.Encode().Bytes(), nil
}

func eyevinnDecode(src []byte) (*eyevinn.MediaPlaylist, error) {
	list, kind, err := eyevinn.DecodeFrom(bytes.NewReader(src), true)
	if err != nil {
		return nil, err
	}
	p, ok := list.(*eyevinn.MediaPlaylist)
	if !ok || kind != eyevinn.MEDIA {
		return nil, errKind
	}
	return p, nil
}

func godashRender(src []byte) ([]byte, error) {
	m, err := godash.Read(bytes.NewReader(src))
	if err != nil {
		return nil, err
	}
	m.BaseURL = []string{mpdBase}
	m.Location = mpdLocation
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func dashmpdRender(src []byte) ([]byte, error) {
	m, err := dashmpd.MPDFromBytes(src)
	if err != nil {
		return nil, err
	}
	base := dashmpd.NewBaseURL(mpdBase)
	base.ServiceLocation = "alpha"
	m.BaseURL = []*dashmpd.BaseURLType{base}
	m.Location = []*dashmpd.LocationType{{Value: mpdLocation}}
	var out bytes.Buffer
	if _, err := m.Write(&out, "", true); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func godashRead(src []byte) error {
	_, err := godash.Read(bytes.NewReader(src))
	return err
}

func dashmpdRead(src []byte) error {
	_, err := dashmpd.MPDFromBytes(src)
	return err
}
