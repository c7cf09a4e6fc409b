package inspect

import "strings"

// What stands where in an MPD: the elements of ISO/IEC 23009-1, clause 5, as
// a table: the attributes of each with their types, and its children in the
// order that the schema (annex B) has them in.

// elementRule is an element's row. An attribute is written "name:type", with
// "!" where it is required.
type elementRule struct {
	clause   string
	attrs    map[string]attrType
	required []string
	children []string
}

// attrType is the type of an attribute: the words of a list, or one of the
// types that dash_values.go reads.
type attrType struct {
	form  string
	words []string
}

const (
	common = "profiles width:uint height:uint sar:ratio frameRate:rate audioSamplingRate:uints mimeType segmentProfiles codecs:codecs" +
		" containerProfiles maximumSAPPeriod:float startWithSAP:sap maxPlayoutRate:float codingDependency:bool" +
		" scanType:progressive|interlaced|unknown selectionPriority:uint tag "
	commonKids = "FramePacking AudioChannelConfiguration ContentProtection OutputProtection EssentialProperty SupplementalProperty" +
		" InbandEventStream Switching RandomAccess GroupLabel Label ProducerReferenceTime ContentPopularityRate Resync SegmentSequenceProperties "
	about    = "Accessibility Role Rating Viewpoint "
	segments = "timescale:uint eptDelta:int pdDelta:int presentationTimeOffset:uint presentationDuration:uint timeShiftBufferDepth:duration" +
		" indexRange:range indexRangeExact:bool availabilityTimeOffset:ato availabilityTimeComplete:bool "
	several     = "duration:uint tolerance:float startNumber:uint endNumber:uint endSubNumber:uint k:uint "
	segmentKids = "Initialization RepresentationIndex FailoverContent "
	severalKids = segmentKids + "SegmentTimeline BitstreamSwitching "
	descriptor  = "schemeIdUri! value id "
	addressing  = "SegmentBase SegmentList SegmentTemplate "
)

var mpdSchema = func() map[string]*elementRule {
	rows := map[string][3]string{ // clause, attributes, children
		"MPD": {"5.3.1.2", "id profiles! type:static|dynamic|list availabilityStartTime:date availabilityEndTime:date publishTime:date" +
			" mediaPresentationDuration:duration minimumUpdatePeriod:duration minBufferTime:duration! timeShiftBufferDepth:duration" +
			" suggestedPresentationDelay:duration maxSegmentDuration:duration maxSubsegmentDuration:duration",
			"ProgramInformation BaseURL Location PatchLocation ServiceDescription InitializationSet InitializationGroup InitializationPresentation" +
				" ContentProtection Period Metrics EssentialProperty SupplementalProperty UTCTiming LeapSecondInformation ContentSteering"},
		"Period": {"5.3.2.2", "id start:duration duration:duration bitstreamSwitching:bool",
			"ImportedMPD BaseURL " + addressing + "AssetIdentifier EventStream ServiceDescription ContentProtection AdaptationSet Subset" +
				" SupplementalProperty EmptyAdaptationSet GroupLabel Preselection"},
		"AdaptationSet": {"5.3.3.2", common + "id:uint group:uint lang contentType:text|image|audio|video|application|font par:ratio minBandwidth:uint" +
			" maxBandwidth:uint minWidth:uint maxWidth:uint minHeight:uint maxHeight:uint minFrameRate:rate maxFrameRate:rate segmentAlignment:bool" +
			" subsegmentAlignment:bool subsegmentStartsWithSAP:sap bitstreamSwitching:bool initializationSetRef:uints initializationPrincipal",
			commonKids + about + "ContentComponent BaseURL " + addressing + "Representation"},
		"Representation": {"5.3.5.2", common + "id:id! bandwidth:uint! qualityRanking:uint dependencyId associationId associationType mediaStreamStructureId",
			commonKids + "BaseURL ExtendedBandwidth SubRepresentation " + addressing},
		"SubRepresentation": {"5.3.6.2", common + "level:uint dependencyLevel:uints bandwidth:uint contentComponent", commonKids},
		"Preselection":      {"5.3.11.2", common + "id:id preselectionComponents! lang order:undefined|time-ordered|fully-ordered", commonKids + about},
		"InitializationSet": {"5.3.12.2", common + "id:uint! inAllPeriods:bool contentType:text|image|audio|video|application|font par:ratio maxWidth:uint" +
			" maxHeight:uint maxFrameRate:rate initialization", commonKids + about},
		"ContentComponent":      {"5.3.4.2", "id:uint lang contentType par:ratio tag", about},
		"Subset":                {"5.3.8.2", "contains:uints! id", ""},
		"BaseURL":               {"5.6.2", "serviceLocation byteRange availabilityTimeOffset:ato availabilityTimeComplete:bool timeShiftBufferDepth:duration rangeAccess:bool", ""},
		"Location":              {"5.3.1.2", "serviceLocation", ""},
		"PatchLocation":         {"5.15.2", "serviceLocation ttl:float", ""},
		"SegmentBase":           {"5.3.9.2.2", segments, segmentKids},
		"SegmentList":           {"5.3.9.3.2", segments + several, severalKids + "SegmentURL"},
		"SegmentTemplate":       {"5.3.9.4.2", segments + several + "media index initialization bitstreamSwitching", severalKids},
		"SegmentURL":            {"5.3.9.3.2", "media mediaRange:range index indexRange:range", ""},
		"Initialization":        {"5.3.9.2.2", "sourceURL range:range", ""},
		"RepresentationIndex":   {"5.3.9.2.2", "sourceURL range:range", ""},
		"BitstreamSwitching":    {"5.3.9.2.2", "sourceURL range:range", ""},
		"SegmentTimeline":       {"5.3.9.6.2", "", "Pattern S"},
		"S":                     {"5.3.9.6.2", "t:uint n:uint d:uint! r:int k:uint p:uint pE:uint ssp:uint", ""},
		"EventStream":           {"5.10.2.2", "schemeIdUri! value timescale:uint presentationTimeOffset:uint", "Event ServiceDescription EssentialProperty SupplementalProperty"},
		"InbandEventStream":     {"5.10.3.2", "schemeIdUri! value timescale:uint presentationTimeOffset:uint id", ""},
		"Event":                 {"5.10.2.2", "presentationTime:uint duration:uint id:uint status:none|update|repeat contentEncoding:base64 messageData", "-"},
		"ContentProtection":     {"5.8.4.1", descriptor + "robustness refId ref", "-"},
		"ContentSteering":       {"ETSI TS 103 998 clause 10", "defaultServiceLocation queryBeforeStart:bool clientRequirement:bool proxyServerURL", ""},
		"ServiceDescription":    {"annex K.4.2", "id:uint", "Scope Latency PlaybackRate OperatingQuality OperatingBandwidth ContentSteering ClientDataReporting EventRestrictions PlaybackRestrictions"},
		"Latency":               {"annex K.4.2", "referenceId:uint target:uint max:uint min:uint", "QualityLatency"},
		"PlaybackRate":          {"annex K.4.2", "max:float min:float", ""},
		"ProducerReferenceTime": {"5.12.2", "id:uint! inband:bool type:encoder|captured|application applicationScheme wallClockTime! presentationTime:uint!", "UTCTiming"},
		"Metrics":               {"5.9.2", "metrics!", "Range Reporting"},
		"Range":                 {"5.9.2", "starttime:duration duration:duration", ""},
		"ProgramInformation":    {"5.7.2", "lang moreInformationURL", "Title Source Copyright"},
		"Label":                 {"5.3.10.2", "id:uint lang", ""},
		"GroupLabel":            {"5.3.10.2", "id:uint lang", ""},
		"Resync":                {"5.3.13.2", "type:sap dT:uint dImax:float dImin:float marker:bool", ""},
	}
	for _, name := range strings.Fields("Accessibility Role Rating Viewpoint FramePacking AudioChannelConfiguration OutputProtection" +
		" EssentialProperty SupplementalProperty UTCTiming AssetIdentifier Reporting Scope") {
		rows[name] = [3]string{"5.8.2", descriptor, "-"}
	}
	rows["EmptyAdaptationSet"] = rows["AdaptationSet"]
	table := make(map[string]*elementRule, len(rows))
	for name, row := range rows {
		table[name] = newElementRule(row)
	}
	return table
}()

func newElementRule(row [3]string) *elementRule {
	e := &elementRule{clause: row[0], attrs: make(map[string]attrType), children: strings.Fields(row[2])}
	for field := range strings.FieldsSeq(row[1]) {
		field, required := strings.CutSuffix(field, "!")
		name, form, _ := strings.Cut(field, ":")
		t := attrType{form: form}
		if strings.Contains(form, "|") || form == "base64" {
			t = attrType{form: "word", words: strings.Split(form, "|")}
		}
		if e.attrs[name] = t; required {
			e.required = append(e.required, name)
		}
	}
	return e
}

// dashRule is the rule of a clause of ISO/IEC 23009-1, or of another document
// that the clause names.
func dashRule(g Grade, clause, cure string) rule {
	if !strings.HasPrefix(clause, "ETSI") && !strings.HasPrefix(clause, "DASH-IF") {
		clause = "ISO/IEC 23009-1 " + clause
	}
	return rule{g, clause, cure}
}
