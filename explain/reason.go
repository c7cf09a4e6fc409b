package explain

// Stage is a stage of a request, by the name it has everywhere: in
// proxy/serve.go and in documentation.
type Stage string

// The stages, in their order.
const (
	Listen  Stage = "listen"
	Route   Stage = "route"
	Access  Stage = "access"
	Device  Stage = "device"
	Choose  Stage = "choose"
	Fetch   Stage = "fetch"
	Compile Stage = "compile"
	Plan    Stage = "plan"
	Render  Stage = "render"
)

// Reason says why. The list is closed: what is not in it cannot be said.
type Reason string

// The reasons.
const (
	ListenReal      Reason = "listen.real"
	ListenImaginary Reason = "listen.imaginary"

	RouteHost     Reason = "route.host"
	RouteWildcard Reason = "route.wildcard"
	RouteAnyHost  Reason = "route.any-host"
	RouteInternal Reason = "route.internal"
	RouteNone     Reason = "route.none"
	RouteAddress  Reason = "route.address"

	AccessOpen    Reason = "access.open"
	AccessToken   Reason = "access.token"
	AccessAssumed Reason = "access.assumed"
	AccessSession Reason = "access.session"
	AccessSteer   Reason = "access.steering"
	AccessRefused Reason = "access.refused"

	AccessTier        Reason = "access.tier"
	AccessTierDefault Reason = "access.tier-default"
	AccessTierUnknown Reason = "access.tier-unknown"
	AccessTierCohort  Reason = "access.tier-cohort"

	AccessShared        Reason = "access.shared"
	AccessCohort        Reason = "access.cohort"
	AccessCohortSession Reason = "access.cohort-session"
	AccessCohortAddress Reason = "access.cohort-address"
	AccessCohortGone    Reason = "access.cohort-gone"

	DeviceNamed     Reason = "device.named"
	DeviceUserAgent Reason = "device.user-agent"
	DeviceSession   Reason = "device.session"
	DeviceUnknown   Reason = "device.unknown"
	DeviceCohort    Reason = "device.cohort"

	ChooseSplit     Reason = "choose.split"
	ChooseNoWeight  Reason = "choose.no-weight"
	ChooseDegraded  Reason = "choose.degraded"
	ChooseDrained   Reason = "choose.drained"
	ChooseDown      Reason = "choose.down"
	ChooseOverride  Reason = "choose.override"
	ChooseCapacity  Reason = "choose.capacity"
	ChooseCommit    Reason = "choose.commit"
	ChooseAddress   Reason = "choose.address"
	ChooseStay      Reason = "choose.stay"
	ChoosePreferred Reason = "choose.preferred"
	ChooseForbidden Reason = "choose.forbidden"
	ChooseUnbound   Reason = "choose.unbound"

	FetchHit         Reason = "fetch.hit"
	FetchStale       Reason = "fetch.stale"
	FetchStaleError  Reason = "fetch.stale-error"
	FetchNegative    Reason = "fetch.negative"
	FetchMiss        Reason = "fetch.miss"
	FetchCoalesced   Reason = "fetch.coalesced"
	FetchRevalidated Reason = "fetch.revalidated"
	FetchPassed      Reason = "fetch.passed"
	FetchFailed      Reason = "fetch.failed"

	CompileDone     Reason = "compile.done"
	CompileTogether Reason = "compile.together"
	CompileFailed   Reason = "compile.failed"
	CompilePrevious Reason = "compile.previous"
	CompileWentBack Reason = "compile.sequence-went-back"

	PlanTheirsKept     Reason = "plan.origin-steering-kept"
	PlanTheirsReplaced Reason = "plan.origin-steering-replaced"
	PlanTheirsRemoved  Reason = "plan.origin-steering-removed"

	PlanSteered    Reason = "plan.steered"
	PlanBackups    Reason = "plan.backups"
	PlanSingle     Reason = "plan.single"
	PlanPathway    Reason = "plan.pathway"
	PlanMoved      Reason = "plan.moved"
	PlanDrained    Reason = "plan.drained"
	PlanPlainBase  Reason = "plan.plain-base"
	PlanRedirect   Reason = "plan.redirect"
	PlanFilter     Reason = "plan.filter"
	PlanSince      Reason = "plan.since"
	PlanFilterKept Reason = "plan.filter-kept"
	PlanToken      Reason = "plan.token"
	PlanNoToken    Reason = "plan.no-token"
	PlanSegments   Reason = "plan.segments"
	PlanSteering   Reason = "plan.steering-answer"
	PlanTokenFail  Reason = "plan.token-refused"

	RenderPlain Reason = "render.plain"
	RenderGzip  Reason = "render.gzip"
	RenderError Reason = "render.error"
)

// Meaning is a reason with its explanation.
type Meaning struct {
	Stage  Stage
	Reason Reason
	Text   string
}

// Reasons lists all reasons, in the order of the stages.
func Reasons() []Meaning { return append([]Meaning(nil), meanings...) }

var meanings = []Meaning{
	{Listen, ListenReal, "the request came over a socket"},
	{Listen, ListenImaginary, "the request was imagined by who asks for the explanation: nothing was changed and nothing cached"},

	{Route, RouteHost, "the host is named by the channel, and its prefix is the longest that fits"},
	{Route, RouteWildcard, "the host falls under a wildcard of the channel, and its prefix is the longest that fits"},
	{Route, RouteAnyHost, "no channel names the host; among the channels for any host the prefix is the longest that fits"},
	{Route, RouteInternal, "the address is one of the edge's own"},
	{Route, RouteNone, "no channel has the address"},
	{Route, RouteAddress, "below the prefix stands no address the channel could have"},

	{Access, AccessOpen, "the channel asks for no token"},
	{Access, AccessToken, "the viewer's token was verified and allows the path"},
	{Access, AccessAssumed, "the viewer is imagined: a token that allows the path was assumed"},
	{Access, AccessSession, "the session address is signed by this channel and still good"},
	{Access, AccessSteer, "the steering address is signed by this channel; it opens no path, so its age does not matter"},
	{Access, AccessRefused, "access was refused"},
	{Access, AccessTier, "the viewer's token names this tier"},
	{Access, AccessTierDefault, "the viewer's token names no tier: the channel's default"},
	{Access, AccessTierUnknown, "the viewer's token names a tier that the channel does not have: the channel's default"},
	{Access, AccessTierCohort, "the viewer's token names no tier of the channel: what the cohort is offered"},
	{Access, AccessShared, "the address is a cohort's: the same for all who ask, and nobody is asked who they are"},
	{Access, AccessCohort, "the first cohort whose conditions the viewer meets"},
	{Access, AccessCohortSession, "the session address says which cohort was found at the entry"},
	{Access, AccessCohortAddress, "the address names the cohort"},
	{Access, AccessCohortGone, "the address names a cohort that the channel does not have any more: it is answered as for everybody"},

	{Device, DeviceNamed, "the request names its device profile"},
	{Device, DeviceUserAgent, "the User-Agent is known"},
	{Device, DeviceSession, "the session address says which profile was found at the entry"},
	{Device, DeviceCohort, "what all devices of the cohort can do, since all of it gets the same bytes"},
	{Device, DeviceUnknown, "nothing tells the player: it gets the conservative profile"},

	{Choose, ChooseSplit, "the weighted split of sessions puts it here"},
	{Choose, ChooseNoWeight, "it has no weight: used only when nothing else is left"},
	{Choose, ChooseDegraded, "it works, but badly"},
	{Choose, ChooseDrained, "an operator drains it"},
	{Choose, ChooseDown, "it does not work"},
	{Choose, ChooseOverride, "an operator put it first"},
	{Choose, ChooseCapacity, "it is at its capacity, and this session is among those that are shed"},
	{Choose, ChooseCommit, "its committed traffic is not reached yet, so it gets more sessions"},
	{Choose, ChooseAddress, "the address names it: the viewers of the cohort were split at the entry"},
	{Choose, ChooseStay, "the session was sent here lately, and stays for its dwell time"},
	{Choose, ChoosePreferred, "a rule prefers it for this viewer"},
	{Choose, ChooseForbidden, "a rule forbids it for this viewer"},
	{Choose, ChooseUnbound, "its tokens cannot be bound to the viewer's address"},

	{Fetch, FetchHit, "the shield had it, fresh"},
	{Fetch, FetchStale, "the shield had it, stale, and fetches a newer one meanwhile"},
	{Fetch, FetchStaleError, "the shield had it, stale, and the origin does not answer"},
	{Fetch, FetchNegative, "the shield remembers the origin's error"},
	{Fetch, FetchMiss, "the shield fetched it from the origin"},
	{Fetch, FetchCoalesced, "the shield joined a fetch that was under way for somebody else"},
	{Fetch, FetchRevalidated, "the shield had it, stale, and the origin confirmed it"},
	{Fetch, FetchPassed, "the origin forbids caching: it was fetched for this request alone"},
	{Fetch, FetchFailed, "the origin did not give it"},

	{Compile, CompileDone, "the template of this version, made once and kept beside it"},
	{Compile, CompileTogether, "the playlist is one of a presentation: breaks are snapped on this rendition, and fall on the others where their boundary is nearest"},
	{Compile, CompileFailed, "the origin's manifest cannot be read"},
	{Compile, CompilePrevious, "the origin's last version cannot be read: the one before it stands in, for as long as stale-if-error allows"},
	{Compile, CompileWentBack, "the media sequence of the origin's last version went back: the one before it stands in, for as long as the sequence guard says"},

	{Plan, PlanTheirsKept, "the origin declares content steering of its own, which stays; what is below its root is the viewer's first pathway's"},
	{Plan, PlanTheirsReplaced, "the origin declares content steering of its own: the channel's takes its place"},
	{Plan, PlanTheirsRemoved, "the origin declares content steering of its own: it is taken out"},
	{Plan, PlanSteered, "the player follows content steering: every pathway is declared, with the steering server"},
	{Plan, PlanBackups, "the player does not follow content steering: the chosen pathway, and others as plain backups"},
	{Plan, PlanSingle, "the chosen pathway alone: there is no other, or the player has no use for backups"},
	{Plan, PlanPathway, "the address names the pathway whose URLs the playlist carries"},
	{Plan, PlanMoved, "the address names a pathway that is gone, or not to be used by a player that does not steer: its first choice instead"},
	{Plan, PlanDrained, "the address names a pathway that is or was drained: a player that does not steer finds the segments published in that time at its first other choice, and the others where they were"},
	{Plan, PlanPlainBase, "the player misreads a BaseURL with \"&\" in it, as the first CDN's token has: the first CDN without comes first"},
	{Plan, PlanRedirect, "a media playlist at its entry address: the player is sent to its session address, where it stays"},
	{Plan, PlanFilter, "of what the manifest lists this viewer gets what the tier allows and the device can play"},
	{Plan, PlanSince, "when what we write into a live MPD changed last: it says that it was published no earlier"},
	{Plan, PlanFilterKept, "nothing of it fits the viewer's bounds, and something must be left to play"},
	{Plan, PlanToken, "the CDN's own token, never wider than the viewer's grant"},
	{Plan, PlanNoToken, "the CDN wants no token"},
	{Plan, PlanSegments, "what was asked for is media, not a manifest"},
	{Plan, PlanSteering, "the steering answer, by the same choice as the manifest"},
	{Plan, PlanTokenFail, "the viewer's grant cannot be expressed in the CDN's token"},

	{Render, RenderPlain, "copied spans, filled slots"},
	{Render, RenderGzip, "the same, on the compressed template"},
	{Render, RenderError, "an error was answered"},
}

var textOf = func() map[Reason]string {
	m := make(map[Reason]string, len(meanings))
	for _, x := range meanings {
		m[x.Reason] = x.Text
	}
	return m
}()

// Text explains the reason in a sentence without a full stop.
func (r Reason) Text() string { return textOf[r] }
