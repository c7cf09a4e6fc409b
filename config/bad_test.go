package config

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is said of the bad files anew")

// Every bad file is told about in exactly these words.
func TestBadFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil || len(names) == 0 {
		t.Fatal("no bad files", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, err := Load(name)
			if err == nil {
				t.Fatal("the file was taken")
			}
			got := err.Error() + "\n"
			golden := strings.TrimSuffix(name, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if m := regexp.MustCompile(`config\.|int64|uint|\*ast|reflect|goccy|nil`).FindString(got); m != "" {
				t.Errorf("the message speaks of Go: %s", m)
			}
		})
	}
}

// Nothing that could be a secret is in a message, whatever is wrong around it.
func TestSecretsAreNotShown(t *testing.T) {
	data, err := os.ReadFile("testdata/secrets.bad.yml")
	if err != nil {
		t.Fatal(err)
	}
	secret := regexp.MustCompile(`hunter2|s3cr3t|topsecret|anothersecret|00112233445566|pepper|alsosecret|plaintextsecret|BEGIN`)
	if n := len(secret.FindAllString(string(data), -1)); n < 9 {
		t.Fatalf("the file holds %d secrets", n)
	}
	_, err = Parse("testdata/secrets.bad.yml", data)
	if err == nil || secret.MatchString(err.Error()) || strings.Contains(err.Error(), "urlpass") {
		t.Errorf("shown: %v", err)
	}
	// Cut anywhere, the rest cannot be read, or means something else.
	for i := range data {
		if _, err := Parse("cut.yml", data[:i]); err != nil && secret.MatchString(err.Error()) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}
