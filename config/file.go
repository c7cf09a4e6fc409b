package config

import "time"

// File is manifold.yml. What each key means stands in that file; here the tags
// say how it is read:
//
//	yaml    the key
//	one     the only values
//	min     the least value, max the greatest
//	word    words that stand for values: "auto=0 never=-1"
//	short   what may stand in place of the whole mapping and is taken for this
//	        key alone: "scalar", "list" or both
//	reload  "restart" where a change needs a restart of the program
type File struct {
	Changed      string               `yaml:"changed"`
	Log          Log                  `yaml:"log"`
	Listen       Listen               `yaml:"listen"`
	Admin        Admin                `yaml:"admin"`
	Sessions     Sessions             `yaml:"sessions"`
	Shield       Shield               `yaml:"shield"`
	Shadow       Shadow               `yaml:"shadow"`
	Geo          Geo                  `yaml:"geo"`
	Regions      map[string][]string  `yaml:"regions"`
	Devices      []Device             `yaml:"devices"`
	Pathways     map[string][]Pathway `yaml:"pathways"`
	Channels     []Channel            `yaml:"channels"`
	OriginServer OriginServer         `yaml:"origin_server"`
	Transcoder   Transcoder           `yaml:"transcoder"`
}

// Ref is a reference to a secret: file:PATH or env:NAME. The secret itself
// never stands in a file.
type Ref string

// Size is an amount of bytes, written as "512MiB".
type Size int64

// Path is the name of a file or folder; relative ones begin at the folder of
// the configuration file.
type Path string

// Log is what the program tells about its work.
type Log struct {
	Level  string `yaml:"level" one:"debug info warn error"`
	Format string `yaml:"format" one:"json text" reload:"restart"`
}

// Listen is where viewers reach the edge.
type Listen struct {
	Plain        []string        `yaml:"plain" reload:"restart"`
	TLS          []string        `yaml:"tls" reload:"restart"`
	HTTP3        bool            `yaml:"http3" reload:"restart"`
	Certificates []Certificate   `yaml:"certificates"`
	SelfMade     SelfMade        `yaml:"self_made" reload:"restart"`
	EarlyData    bool            `yaml:"early_data" reload:"restart"`
	AltSvcPort   int             `yaml:"alt_svc_port" word:"same=0" min:"1" max:"65535" reload:"restart"`
	AltSvcMaxAge time.Duration   `yaml:"alt_svc_max_age" word:"never=-1" min:"1s" reload:"restart"`
	Limits       ListenLimits    `yaml:"limits" reload:"restart"`
	Deadlines    ListenDeadlines `yaml:"deadlines" reload:"restart"`
}

// Certificate is a PEM pair on disk.
type Certificate struct {
	Cert Path `yaml:"cert"`
	Key  Path `yaml:"key"`
}

// SelfMade is a certificate that the edge makes itself.
type SelfMade struct {
	Folder Path     `yaml:"folder" short:"scalar"`
	Names  []string `yaml:"names"`
}

// ListenLimits bound what clients may use.
type ListenLimits struct {
	Header                Size `yaml:"header" min:"1KiB" max:"65535B"`
	HeaderFields          int  `yaml:"header_fields" min:"8"`
	RequestBody           Size `yaml:"request_body" word:"unlimited=-1" min:"1B"`
	Connections           int  `yaml:"connections" word:"auto=0 unlimited=-1" min:"1"`
	ConnectionsPerAddress int  `yaml:"connections_per_address" word:"unlimited=-1" min:"1"`
	Streams               int  `yaml:"streams" min:"1" max:"65536"`
	Waiting               int  `yaml:"waiting" word:"none=-1" min:"1"`
	WaitingPerAddress     int  `yaml:"waiting_per_address" word:"none=-1" min:"1"`
	RetryAbove            int  `yaml:"retry_above" word:"always=-1" min:"1"`
}

// ListenDeadlines bound how long clients may take.
type ListenDeadlines struct {
	Handshake time.Duration `yaml:"handshake" min:"1ms"`
	Header    time.Duration `yaml:"header" min:"1ms"`
	Body      time.Duration `yaml:"body" min:"1ms"`
	Request   time.Duration `yaml:"request" min:"1ms"`
	Write     time.Duration `yaml:"write" min:"1ms"`
	Idle      time.Duration `yaml:"idle" min:"1ms"`
	Drain     time.Duration `yaml:"drain" word:"none=-1" min:"1ms"`
}

// Admin is where operators reach the edge.
type Admin struct {
	Address string   `yaml:"address" short:"scalar" reload:"restart"`
	Token   Ref      `yaml:"token"`
	Explain Ref      `yaml:"explain"`
	Hosts   []string `yaml:"hosts"`
}

// Sessions is how session addresses are signed.
type Sessions struct {
	Keys    []Ref `yaml:"keys"`
	HashKey Ref   `yaml:"hash_key"`
}

// Shield is the cache before the origins.
type Shield struct {
	Name               string   `yaml:"name" reload:"restart"`
	Live               Size     `yaml:"live" min:"1MiB" reload:"restart"`
	Recent             Size     `yaml:"recent" min:"1MiB" reload:"restart"`
	Library            Size     `yaml:"library" word:"none=-1" min:"1MiB" reload:"restart"`
	Filling            Size     `yaml:"filling" min:"1MiB" reload:"restart"`
	ConnectionsPerHost int      `yaml:"connections_per_host" min:"1" reload:"restart"`
	RootCAs            []Path   `yaml:"root_cas" reload:"restart"`
	AllowPrivate       []string `yaml:"allow_private"`
}

// Shadow is how much of what is sent is read again.
type Shadow struct {
	Every     int  `yaml:"every" word:"never=-1" min:"1"`
	PerSecond int  `yaml:"per_second" min:"1" max:"1000"`
	Queue     int  `yaml:"queue" min:"1" max:"65536"`
	Waiting   Size `yaml:"waiting" min:"1KiB"`
	Folder    Path `yaml:"folder"`
	Cases     int  `yaml:"cases" min:"1"`
	Kept      Size `yaml:"kept" min:"1KiB"`
}

// Geo is how viewers are placed.
type Geo struct {
	Databases []Path `yaml:"databases" short:"scalar list"`
}

// Device is a device profile, added or changed.
type Device struct {
	Name              string   `yaml:"name"`
	UserAgents        []string `yaml:"user_agents"`
	Steering          []string `yaml:"steering" one:"hls dash"`
	RedundantVariants bool     `yaml:"redundant_variants"`
	BaseURLs          int      `yaml:"base_urls" min:"0" max:"64"`
	PlainBaseURL      bool     `yaml:"plain_base_url"`
	Location          bool     `yaml:"location"`
	Redirects         bool     `yaml:"redirects"`
	Gzip              bool     `yaml:"gzip"`
	MaxHeight         int      `yaml:"max_height" word:"none=0" min:"1"`
	Codecs            []string `yaml:"codecs"`
	HDR               bool     `yaml:"hdr"`
	Evict             int      `yaml:"evict" word:"none=0" min:"400" max:"599"`
}

// OriginServer is what `manifold origin` serves.
type OriginServer struct {
	Listen         []string `yaml:"listen"`
	Directory      Path     `yaml:"directory"`
	Memory         []string `yaml:"memory"`
	MemoryLimit    Size     `yaml:"memory_limit" min:"1MiB"`
	MaxObject      Size     `yaml:"max_object" min:"1KiB"`
	LoopbackWrites bool     `yaml:"loopback_writes"`
	WriteTokens    []Ref    `yaml:"write_tokens"`
	TimeName       string   `yaml:"time_name"`
}

// Transcoder is the job of `manifold transcode`.
type Transcoder struct {
	To           string        `yaml:"to"`
	Token        Ref           `yaml:"token"`
	FFmpeg       string        `yaml:"ffmpeg"`
	Input        Path          `yaml:"input"`
	Live         bool          `yaml:"live"`
	Prefix       string        `yaml:"prefix"`
	Version      string        `yaml:"version"`
	Ladder       Ladder        `yaml:"ladder"`
	Segment      time.Duration `yaml:"segment" min:"100ms"`
	Duration     time.Duration `yaml:"duration" word:"auto=0" min:"1ms"`
	Window       time.Duration `yaml:"window" word:"auto=0" min:"1s"`
	Delay        time.Duration `yaml:"delay" word:"auto=0" min:"1ms"`
	Time         string        `yaml:"time"`
	Audio        []Audio       `yaml:"audio"`
	Subtitles    []Subtitle    `yaml:"subtitles"`
	NoSubtitles  bool          `yaml:"no_subtitles"`
	NoTimecode   bool          `yaml:"no_timecode"`
	Font         Path          `yaml:"font"`
	Stall        time.Duration `yaml:"stall" word:"auto=0" min:"1ms"`
	RestartDelay time.Duration `yaml:"restart_delay" min:"1ms"`
}

// Ladder is what is encoded: one that comes with Manifold, by its name, or
// rungs of one's own.
type Ladder struct {
	Name      string `yaml:"name" short:"scalar"`
	FrameRate string `yaml:"frame_rate"`
	Preset    string `yaml:"preset"`
	Rungs     []Rung `yaml:"rungs" short:"list"`
}

// Rung is one rendition of the picture.
type Rung struct {
	Width   int `yaml:"width"`
	Height  int `yaml:"height"`
	Bitrate int `yaml:"bitrate"`
	MaxRate int `yaml:"max_rate" word:"auto=0"`
}

// Audio is one audio track.
type Audio struct {
	Language string `yaml:"language" short:"scalar"`
	Label    string `yaml:"label"`
	Bitrate  int    `yaml:"bitrate" word:"auto=0" min:"1"`
	Tone     int    `yaml:"tone" word:"auto=0" min:"1"`
	Stream   int    `yaml:"stream"`
}

// Subtitle is one subtitle track.
type Subtitle struct {
	Language string `yaml:"language" short:"scalar"`
	Label    string `yaml:"label"`
}
