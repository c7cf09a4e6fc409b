package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manifold/keys"
	"manifold/manifest"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
)

func tokenCommand() *cobra.Command {
	return group("token", "Sign and look at viewers' and CDNs' tokens", tokenSign(), tokenInspect())
}

// signOptions are the flags of token sign.
type signOptions struct {
	format, key, keyID string
	expires            time.Duration
	address            string
	session            string

	// of a JWT
	issuer, subject, audience, id, tier string
	paths                               []string
	notBefore                           time.Duration

	// of a CDN's token
	base, dir, file, salt, name, place string
	dash, url                          bool
}

func tokenSign() *cobra.Command {
	var o signOptions
	c := &cobra.Command{
		Use:   "sign",
		Short: "Make a token: a viewer's JWT, or a CDN's",
		Long: `Make a token with a key from a file or the environment, for tests and for trying things out. A
viewer's JWT is signed by HS256 with a secret, by ES256 with an EC private key. With --format
it is a CDN's token, as the edge makes them for its URLs.`,
		Example: `  manifold token sign --key file:viewers.key#base64url --subject ann --path /news --expires 2h
  manifold token sign --format akamai --key file:alpha.key#hex --base https://alpha.example/live/ --url`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := o.sign(time.Now())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "jwt", "jwt, akamai, bunny or mediacdn")
	f.StringVar(&o.key, "key", "", `key, as "file:PATH" or "env:NAME", with #hex, #base64url, #pem or #jwk behind it where needed`)
	f.StringVar(&o.keyID, "kid", "", "key id for the header of a JWT")
	f.DurationVar(&o.expires, "expires", 12*time.Hour, "how long it is good")
	f.StringVar(&o.address, "address", "", "address or prefix that it is bound to")
	f.StringVar(&o.session, "session", "", "session: the claim sid, or the CDN's field")
	f.StringVar(&o.issuer, "issuer", "", "JWT: iss")
	f.StringVar(&o.subject, "subject", "", "JWT: sub")
	f.StringVar(&o.audience, "audience", "", "JWT: aud")
	f.StringVar(&o.id, "id", "", "JWT: jti")
	f.StringVar(&o.tier, "tier", "", "JWT: tier")
	f.StringArrayVar(&o.paths, "path", nil, "JWT: directory at the edge that may be read; may be given again")
	f.DurationVar(&o.notBefore, "not-before", 0, "JWT: not good before this has passed")
	f.StringVar(&o.base, "base", "", "CDN: URL that the media is below")
	f.StringVar(&o.dir, "dir", "", "CDN: directory below the base that may be read; empty: all of it")
	f.StringVar(&o.file, "file", "", "CDN: the one file below the base that may be read")
	f.StringVar(&o.salt, "salt", "", "CDN: Akamai's salt, as a reference like --key")
	f.StringVar(&o.name, "name", "", "CDN: name of the parameter or path element")
	f.StringVar(&o.place, "place", "", "CDN: query or path; empty: as the format has it in HLS")
	f.BoolVar(&o.dash, "dash", false, "CDN: as it stands in DASH")
	f.BoolVar(&o.url, "url", false, "CDN: print the URL with the token in its place")
	return c
}

func (o *signOptions) sign(now time.Time) (string, error) {
	usage := func(format string, args ...any) error { return coded{fmt.Errorf(format, args...), exitUsage} }
	if o.key == "" {
		return "", usage(`sign needs --key, as "file:PATH" or "env:NAME"`)
	}
	if o.expires < time.Second {
		return "", usage("--expires %s is shorter than a second", o.expires)
	}
	var bound netip.Prefix
	if o.address != "" {
		var err error
		if bound, err = parseBound(o.address); err != nil {
			return "", usage("--address: %v", err)
		}
	}
	switch o.format {
	case "jwt":
		return o.jwt(now, bound)
	case "akamai", "bunny", "mediacdn":
		return o.cdn(now, bound)
	}
	return "", usage("--format %q is not one of jwt, akamai, bunny, mediacdn", o.format)
}

func parseBound(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a prefix", s)
	}
	return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
}

func (o *signOptions) jwt(now time.Time, bound netip.Prefix) (string, error) {
	list, err := keys.Source{}.Keys(o.key)
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", fmt.Errorf("cannot sign: %s holds %d keys where one is needed", o.key, len(list))
	}
	k := access.SigningKey{ID: o.keyID, Secret: list[0].Secret, Private: list[0].Private}
	if k.Secret == nil && k.Private == nil {
		return "", errors.New("cannot sign: the key is a public one; a private one is needed")
	}
	g := &access.Grant{
		Issuer: o.issuer, Subject: o.subject, Tier: o.tier, Session: o.session, TokenID: o.id,
		Paths: o.paths, Expires: now.Add(o.expires).Unix(), Address: bound,
	}
	if o.notBefore > 0 {
		g.NotBefore = now.Add(o.notBefore).Unix()
	}
	return k.Sign(g, o.audience, now)
}

func (o *signOptions) cdn(now time.Time, bound netip.Prefix) (string, error) {
	if o.base == "" {
		return "", coded{errors.New("a CDN's token needs --base, the URL that its media is below"), exitUsage}
	}
	base := strings.TrimSuffix(o.base, "/") + "/"
	cfg := token.Config{Format: o.format, Keys: []string{o.key}, Salt: o.salt, Name: o.name, HLS: o.place}
	var secrets token.Secrets
	var err error
	if secrets.Keys, err = (keys.Source{}).Secrets(o.key); err != nil {
		return "", err
	}
	if o.salt != "" {
		if secrets.Salt, err = (keys.Source{}).Secret(o.salt); err != nil {
			return "", err
		}
	}
	m, err := token.New(cfg, base, secrets)
	if err != nil {
		return "", coded{err, exitUsage}
	}
	form := m.Form(manifest.HLSMedia)
	if o.dash {
		form = token.Form{Place: m.Form(manifest.DASH).Place}
	}
	scope := &token.Scope{File: o.file, Expires: now.Add(o.expires).Unix(), Client: bound, Session: o.session}
	if o.dir != "" {
		scope.Dir = strings.Trim(o.dir, "/") + "/"
	}
	element, err := m.Append(nil, scope, form)
	if err != nil {
		return "", fmt.Errorf("cannot sign: %w", err)
	}
	switch {
	case !o.url:
		return string(element), nil
	case form.Place == manifest.InPath:
		return base[:m.At()] + string(element) + "/" + base[m.At():] + scope.Dir + scope.File, nil
	}
	return base + scope.Dir + scope.File + "?" + string(element), nil
}
