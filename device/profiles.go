package device

// Shipped is the table that comes with Manifold. Players that run in a
// browser cannot be told by User-Agent: their pages name them (?device=hlsjs).
// Order matters for User-Agent matches: the more telling one comes first.
func Shipped() []Profile {
	const both = SteersHLS | SteersDASH
	return []Profile{
		{Name: Conservative, ID: 1, RedundantVariants: true, BaseURLs: 2, Location: true, Gzip: true},
		{Name: "hlsjs", ID: 2, Steering: SteersHLS, RedundantVariants: true, Redirects: true, Gzip: true, Evict: 404},
		{Name: "hlsjs-old", ID: 3, RedundantVariants: true, Redirects: true, Gzip: true},
		{Name: "dashjs", ID: 4, Steering: SteersDASH, BaseURLs: 16, Location: true, Redirects: true, Gzip: true, Evict: 404},
		{Name: "dashjs-old", ID: 5, BaseURLs: 16, Location: true, Redirects: true, Gzip: true},
		{Name: "shaka", ID: 6, Steering: both, RedundantVariants: true, BaseURLs: 16, Location: true, Redirects: true, Gzip: true, Evict: 404},
		{Name: "shaka-old", ID: 7, BaseURLs: 16, Location: true, Redirects: true, Gzip: true},
		{Name: "roku", ID: 8, UserAgents: []string{"Roku/", "Roku4640X"}, BaseURLs: 1, Location: true, Gzip: true},
		{Name: "tizen", ID: 9, UserAgents: []string{"Tizen"}, BaseURLs: 1, Location: true, Gzip: true},
		{Name: "webos", ID: 10, UserAgents: []string{"Web0S", "webOS"}, BaseURLs: 1, Location: true, Gzip: true},
		{Name: "chromecast", ID: 11, UserAgents: []string{"CrKey"}, BaseURLs: 1, Location: true, Gzip: true},
		{Name: "androidtv", ID: 12, UserAgents: []string{"Android TV", "BRAVIA"}, BaseURLs: 1, Location: true, Gzip: true},
		{Name: "media3", ID: 13, UserAgents: []string{"AndroidXMedia3/1.1"}, BaseURLs: 16, Location: true, Redirects: true, Gzip: true},
		{Name: "exoplayer", ID: 14, UserAgents: []string{"ExoPlayerLib", "AndroidXMedia3"}, BaseURLs: 16, Location: true, Redirects: true, Gzip: true},
		{Name: "avplayer", ID: 15, UserAgents: []string{"AppleCoreMedia"}, Steering: SteersHLS, RedundantVariants: true, Redirects: true, Gzip: true},
		{Name: "vlc", ID: 16, UserAgents: []string{"VLC/", "LibVLC"}, BaseURLs: 1, Redirects: true},
		{Name: "mpv", ID: 17, UserAgents: []string{"mpv", "libmpv"}, BaseURLs: 1, Redirects: true},
		{Name: "ffmpeg", ID: 18, UserAgents: []string{"Lavf/"}, BaseURLs: 1, Redirects: true},
		{Name: "gstreamer", ID: 19, UserAgents: []string{"GStreamer"}, BaseURLs: 1, Redirects: true},
	}
}
