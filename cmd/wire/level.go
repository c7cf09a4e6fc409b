package wire

import (
	"context"
	"io"
	"log/slog"
)

// NewLog gives a logger that writes every level to w, "json" or "text".
func NewLog(w io.Writer, format string) *slog.Logger {
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, all))
	}
	return slog.New(slog.NewJSONHandler(w, all))
}

// leveled gives a logger whose level can be changed. It lets no more through
// than base does.
func leveled(base *slog.Logger) (*slog.Logger, *slog.LevelVar) {
	v := new(slog.LevelVar)
	return slog.New(levelHandler{base.Handler(), v}), v
}

type levelHandler struct {
	slog.Handler
	level *slog.LevelVar
}

func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level.Level() && h.Handler.Enabled(ctx, l)
}

func (h levelHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(a), h.level}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.level}
}
