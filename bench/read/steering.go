package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// SteeringAnswer is a steering manifest (draft-pantos-content-steering,
// section 4) as it stands.
type SteeringAnswer struct {
	Version   json.Number     `json:"VERSION"`
	TTL       json.Number     `json:"TTL"`
	ReloadURI *string         `json:"RELOAD-URI"`
	Priority  []string        `json:"PATHWAY-PRIORITY"`
	Clones    []SteeringClone `json:"PATHWAY-CLONES"`
}

// SteeringClone is one entry of PATHWAY-CLONES.
type SteeringClone struct {
	Base        string `json:"BASE-ID"`
	ID          string `json:"ID"`
	Replacement *struct {
		Host         string            `json:"HOST"`
		Params       map[string]string `json:"PARAMS"`
		PerVariant   map[string]string `json:"PER-VARIANT-URIS"`
		PerRendition map[string]string `json:"PER-RENDITION-URIS"`
	} `json:"URI-REPLACEMENT"`
}

// ParseSteering reads a steering answer. Members it does not know are left.
func ParseSteering(body []byte) (*SteeringAnswer, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var a SteeringAnswer
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("cannot read the steering answer: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the steering answer")
	}
	return &a, nil
}
