package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"manifold/keys"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
)

// scalar reads one text into v.
func (d *decoder) scalar(path string, n ast.Node, v reflect.Value, f *fieldInfo) {
	text, ok := scalarText(n)
	if !ok {
		hint := ""
		if n.Type() == ast.NullType {
			hint = "leave the key out for its default"
		}
		d.mismatch(path, n, nounOf(v.Type(), f), hint)
		return
	}
	if v.Type() == refType {
		if text == "" && !strings.HasSuffix(path, "]") {
			v.SetString("")
			return
		}
		if err := keys.CheckRef(text); err != nil {
			d.secrets = append(d.secrets, n.GetToken())
			d.add(path, n.GetToken(), `write "file:/path" or "env:NAME": a secret never stands in a configuration itself`, "this is not a reference to a secret: %s", refFault(text, err))
			return
		}
		v.SetString(text)
		return
	}
	if v.Kind() == reflect.Float64 && (n.Type() == ast.InfinityType || n.Type() == ast.NanType) {
		d.add(path, n.GetToken(), "write it in digits", "%q is not a number", clip(text))
		return
	}
	if v.Kind() == reflect.String && n.Type() == ast.BoolType {
		d.add(path, n.GetToken(), fmt.Sprintf("put it in quotes if the text %q is meant", text), "true or false stands where a text belongs")
		return
	}
	if bad := setScalar(v, text, f); bad != nil {
		d.add(path, n.GetToken(), bad.hint, "%s", bad.text)
	}
}

// refFault says why a text is no reference, and nothing of the text.
func refFault(text string, err error) string {
	if strings.HasPrefix(text, "file:") || strings.HasPrefix(text, "env:") {
		return err.Error()
	}
	return "it begins with neither file: nor env:"
}

// badValue says why a text is not a value, and what would be.
type badValue struct{ text, hint string }

// setScalar reads text into v as its type and tags say.
func setScalar(v reflect.Value, text string, f *fieldInfo) *badValue {
	if f == nil {
		f = &fieldInfo{}
	}
	for _, w := range f.words {
		if text == w.text {
			v.SetInt(w.value)
			return nil
		}
	}
	bad := func(hint string) *badValue {
		return &badValue{fmt.Sprintf("%q is not %s", clip(text), nounOf(v.Type(), f)), hint}
	}
	switch v.Kind() {
	case reflect.String:
		if len(f.one) > 0 && !slices.Contains(f.one, text) {
			return bad(didYouMean(text, f.one))
		}
		v.SetString(text)
		return nil
	case reflect.Bool:
		b, ok := map[string]bool{"true": true, "false": false}[text]
		if !ok {
			return bad(boolHint(text))
		}
		v.SetBool(b)
		return nil
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
			return bad("")
		}
		if x < 0 {
			return &badValue{fmt.Sprintf("%s is below 0", clip(text)), ""}
		}
		v.SetFloat(x)
		return nil
	}
	x, err := parseNumber(v.Type(), text)
	if err != nil {
		hint := err.Error()
		if h := didYouMean(text, wordTexts(f.words)); h != "" {
			hint = h
		}
		return bad(hint)
	}
	if b := f.bounds(v.Type(), x, text); b != nil {
		return b
	}
	v.SetInt(x)
	return nil
}

// bounds checks a number against min and max; without a min it is 0.
func (f *fieldInfo) bounds(t reflect.Type, x int64, text string) *badValue {
	least := int64(0)
	if f.min != "" {
		least, _ = parseNumber(t, f.min) // a test reads all tags
	}
	words := ""
	if len(f.words) > 0 {
		words = "or write " + strings.Join(wordTexts(f.words), " or ")
	}
	if x < least {
		return &badValue{fmt.Sprintf("%s is too little: at least %s", clip(text), or(f.min, "0")), words}
	}
	if f.max != "" {
		if most, _ := parseNumber(t, f.max); x > most {
			return &badValue{fmt.Sprintf("%s is too much: at most %s", clip(text), f.max), words}
		}
	}
	return nil
}

// parseNumber reads a duration, a size or a whole number. The error says how
// one is written.
func parseNumber(t reflect.Type, text string) (int64, error) {
	switch t {
	case durationType:
		return parseDuration(text)
	case sizeType:
		return parseSize(text)
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if err != nil {
		return 0, errors.New("write it in digits")
	}
	return n, nil
}

func parseDuration(text string) (int64, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return int64(d), nil
	}
	const most = 100_000 // days
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && math.Abs(n) < most {
			return int64(n * float64(24*time.Hour)), nil
		}
	}
	return 0, errors.New("write it like 500ms, 20s, 1h30m or 7d")
}

// units of sizes, the longer ones before those they end with.
var units = []struct {
	name string
	size int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1000}, {"KB", 1000}, {"MB", 1000_000}, {"GB", 1000_000_000}, {"B", 1},
}

func parseSize(text string) (int64, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n > math.MaxInt64/u.size || n < math.MinInt64/u.size {
			break
		}
		return n * u.size, nil
	}
	return 0, errors.New("write it like 64KiB, 512MiB or 2GiB")
}

// nounOf says what belongs at a place.
func nounOf(t reflect.Type, f *fieldInfo) string {
	noun := map[reflect.Kind]string{reflect.String: "a text", reflect.Bool: "true or false", reflect.Float64: "a number"}[t.Kind()]
	switch {
	case t == durationType:
		noun = "a duration"
	case t == sizeType:
		noun = "a size"
	case t == refType:
		noun = "a reference to a secret"
	case noun == "":
		noun = "a whole number"
	}
	if f != nil && len(f.one) > 0 {
		noun = "one of " + strings.Join(f.one, ", ")
	}
	if f != nil && len(f.words) > 0 { // always after "not" or "where"
		noun += ", nor the word " + strings.Join(wordTexts(f.words), " or ")
	}
	return noun
}

func boolHint(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on", "y", "1", "enabled":
		return "write true"
	case "no", "off", "n", "0", "disabled":
		return "write false"
	}
	return ""
}

// parseWords reads the tag word.
func parseWords(tag string) (list []word) {
	for _, w := range strings.Fields(tag) {
		text, value, _ := strings.Cut(w, "=")
		n, _ := strconv.ParseInt(value, 10, 64)
		list = append(list, word{text, n})
	}
	return list
}

func wordTexts(words []word) []string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return texts
}

// String writes a size so that it is read back as the same.
func (s Size) String() string {
	for _, u := range []struct {
		name string
		size Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s != 0 && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// clip keeps a text that goes into a message short.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func or(s, zero string) string {
	if s == "" {
		return zero
	}
	return s
}
