package device

// Shipped is the table that comes with Manifold. Players that run in a
// browser cannot be told by User-Agent: their pages name them (?device=hlsjs).
// Order matters for User-Agent matches: the more telling one comes first.
//
// hlsjs, dashjs, shaka and their old forms, mpv, ffmpeg and gstreamer are
// tested against this table. The others are by documentation: AVPlayer, Roku,
// televisions and Android's players could not be tried.
func Shipped() []Profile {
	return append(append(browsers(), applications()...), televisions()...)
}

func browsers() []Profile {
	const both = SteersHLS | SteersDASH
	return []Profile{
		{
			Name: Conservative, ID: 1,
			RedundantVariants: true, BaseURLs: 2, Location: true, Gzip: true,
			MultiPeriod: true, Discontinuity: true,
		},
		{
			Name: "hlsjs", ID: 2,
			Steering: SteersHLS, RedundantVariants: true, Redirects: true, Evict: 404,
			Discontinuity: true, DateRange: true, Interstitials: true, Define: true, LowLatencyHLS: true,
			Gzip: true, HTTP3: true, CMCD: true, AdRedirects: true,
			DRM: []string{"widevine", "playready", "fairplay", "clearkey"},
		},
		{
			Name: "hlsjs-old", ID: 3,
			RedundantVariants: true, Redirects: true,
			Discontinuity: true, DateRange: true, Gzip: true, HTTP3: true, AdRedirects: true,
		},
		{
			Name: "dashjs", ID: 4,
			Steering: SteersDASH, BaseURLs: 16, Location: true, Patch: true, Redirects: true, Evict: 404,
			MultiPeriod: true, LowLatencyDASH: true, AlternativeMPD: true,
			Gzip: true, HTTP3: true, CMCD: true, CMSD: true, AdRedirects: true,
			DRM: []string{"widevine", "playready", "clearkey"},
		},
		{
			Name: "dashjs-old", ID: 5,
			BaseURLs: 16, Location: true, Redirects: true,
			MultiPeriod: true, Gzip: true, HTTP3: true, AdRedirects: true,
		},
		{
			Name: "shaka", ID: 6,
			Steering: both, RedundantVariants: true, BaseURLs: 16, Location: true, Patch: true, Redirects: true, Evict: 404,
			MultiPeriod: true, Discontinuity: true, DateRange: true, Interstitials: true, Define: true,
			LowLatencyHLS: true, LowLatencyDASH: true, Gzip: true, HTTP3: true, CMCD: true, CMSD: true, AdRedirects: true,
			DRM: []string{"widevine", "playready", "fairplay", "clearkey"},
		},
		{
			Name: "shaka-old", ID: 7,
			BaseURLs: 16, Location: true, Redirects: true,
			MultiPeriod: true, DateRange: true, Gzip: true, HTTP3: true, AdRedirects: true,
		},
	}
}

func applications() []Profile {
	return []Profile{
		{
			Name: "media3", ID: 13,
			// Steering came with 1.11; "1.1" alone would also be 1.1.0 of 2023.
			UserAgents: []string{
				"AndroidXMedia3/1.11", "AndroidXMedia3/1.12", "AndroidXMedia3/1.13", "AndroidXMedia3/1.14", "AndroidXMedia3/1.15",
				"AndroidXMedia3/1.16", "AndroidXMedia3/1.17", "AndroidXMedia3/1.18", "AndroidXMedia3/1.19", "AndroidXMedia3/2.",
			},
			Steering: SteersHLS, RedundantVariants: true, BaseURLs: 16, Location: true, Redirects: true,
			MultiPeriod: true, Discontinuity: true, DateRange: true, Interstitials: true, Define: true, LowLatencyHLS: true,
			Gzip: true, HTTP3: true, CMCD: true, AdRedirects: true, DRM: []string{"widevine"}, ClearToEncrypted: true,
		},
		{
			Name: "exoplayer", ID: 14, UserAgents: []string{"ExoPlayerLib", "AndroidXMedia3", "ExoPlayer"},
			RedundantVariants: true, BaseURLs: 16, Location: true, Redirects: true,
			MultiPeriod: true, Discontinuity: true, DateRange: true, Define: true, LowLatencyHLS: true,
			Gzip: true, HTTP3: true, CMCD: true, AdRedirects: true, DRM: []string{"widevine"}, ClearToEncrypted: true,
		},
		{
			Name: "avplayer", ID: 15, UserAgents: []string{"AppleCoreMedia"},
			Steering: SteersHLS, RedundantVariants: true, Redirects: true,
			Discontinuity: true, DateRange: true, Interstitials: true, Define: true, LowLatencyHLS: true,
			Gzip: true, HTTP3: true, CMCD: true, AdRedirects: true, DRM: []string{"fairplay"},
		},
		{Name: "vlc", ID: 16, UserAgents: []string{"VLC/", "LibVLC"}, BaseURLs: 1, Redirects: true, MultiPeriod: true, Discontinuity: true, AdRedirects: true},
		{Name: "mpv", ID: 17, UserAgents: []string{"mpv"}, BaseURLs: 1, PlainBaseURL: true, Redirects: true, Discontinuity: true, AdRedirects: true},
		{Name: "ffmpeg", ID: 18, UserAgents: []string{"Lavf/"}, BaseURLs: 1, PlainBaseURL: true, Redirects: true, Discontinuity: true, AdRedirects: true},
		{Name: "gstreamer", ID: 19, UserAgents: []string{"GStreamer"}, BaseURLs: 1, Redirects: true, MultiPeriod: true, Discontinuity: true, AdRedirects: true},
	}
}

// televisions take no steering, and few of them a redirect for a segment.
func televisions() []Profile {
	drm := []string{"widevine", "playready"}
	return []Profile{
		{Name: "roku", ID: 8, UserAgents: []string{"Roku"}, BaseURLs: 1, Location: true, Redirects: true, MultiPeriod: true, Discontinuity: true, Gzip: true, DRM: drm},
		{Name: "tizen", ID: 9, UserAgents: []string{"Tizen"}, BaseURLs: 1, Location: true, MultiPeriod: true, Discontinuity: true, Gzip: true, DRM: drm},
		{Name: "webos", ID: 10, UserAgents: []string{"Web0S", "webOS"}, BaseURLs: 1, Location: true, MultiPeriod: true, Discontinuity: true, Gzip: true, DRM: drm},
		{Name: "chromecast", ID: 11, UserAgents: []string{"CrKey"}, BaseURLs: 1, Location: true, Redirects: true, MultiPeriod: true, Discontinuity: true, Gzip: true, DRM: drm},
		{Name: "androidtv", ID: 12, UserAgents: []string{"Android TV", "BRAVIA"}, BaseURLs: 1, Location: true, Redirects: true, MultiPeriod: true, Discontinuity: true, Gzip: true, DRM: drm},
	}
}
