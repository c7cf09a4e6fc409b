package console

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Reloader reads the configuration again and takes it whole or not at all.
type Reloader interface {
	// Reload gives what is told about a success, as JSON. An error that is a
	// json.Marshaler is told as it wants to be.
	Reload() (any, error)
}

// AddReload adds POST /api/v1/reload. It needs no body.
func (c *Console) AddReload(rl Reloader) {
	c.Write("POST /api/v1/reload", func(w http.ResponseWriter, _ *http.Request) {
		report, err := rl.Reload()
		var told json.Marshaler
		switch {
		case errors.As(err, &told):
			JSON(w, http.StatusUnprocessableEntity, told)
		case err != nil:
			Error(w, http.StatusUnprocessableEntity, err)
		default:
			JSON(w, http.StatusOK, report)
		}
	})
}
