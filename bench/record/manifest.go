package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// ManifestFormat is the version of the manifest that this package writes.
const ManifestFormat = 1

// Manifest says what ran: everything that is needed to judge the figures
// beside it, or to make them again.
type Manifest struct {
	Format    int       `json:"format"`
	Scene     Scene     `json:"scene"`
	Arguments []string  `json:"arguments"` // the command line, without the program's name
	Seed      uint64    `json:"seed"`
	Features  []Feature `json:"features"`
	Methods   []Method  `json:"methods"`
	LeftOut   []LeftOut `json:"left_out,omitempty"`
	TopK      []TopK    `json:"topk"`
	// LocalFeatures is the type of keypoints of the methods that match; empty: none.
	LocalFeatures string            `json:"local_features,omitempty"`
	Counts        Counts            `json:"counts"`
	Versions      Versions          `json:"versions"`
	Inputs        map[string]string `json:"inputs"` // name of an input → sha256 of its content, hex
	Stages        []Stage           `json:"stages"`
	Warnings      []string          `json:"warnings,omitempty"`
}

// Scene is what a manifest keeps of the scene.
type Scene struct {
	Name             string      `json:"name"`
	Title            string      `json:"title,omitempty"`
	Dir              string      `json:"dir"`
	Splits           []Split     `json:"splits"` // in the scene's order; [AllSplit] included
	Thresholds       []Threshold `json:"thresholds"`
	ThresholdsFrom   string      `json:"thresholds_from"` // "scene file aachen.yaml", "usual for Aachen …"
	RecallThresholds []Threshold `json:"recall_thresholds"`
	Submission       string      `json:"submission,omitempty"` // style of names in the submission file
	Licence          string      `json:"licence,omitempty"`
	Citation         string      `json:"citation,omitempty"`
	// Published says which published tables are about the scene; nil: none.
	Published *Published `json:"published,omitempty"`
}

// Published names a scene as published tables do.
type Published struct {
	Dataset string            `json:"dataset"`
	Splits  map[string]string `json:"splits,omitempty"` // from the scene's to the tables', where they differ
}

// Split is a named part of a scene's queries.
type Split struct {
	Name    string   `json:"name"`
	Queries int      `json:"queries"`
	Of      []string `json:"of,omitempty"` // the splits that a group is made of
}

// Holds reports whether the split holds the queries whose own split has a name.
func (s Split) Holds(own string) bool {
	return s.Name == AllSplit || s.Name == own || slices.Contains(s.Of, own)
}

// Threshold is a bound on the position error in metres and on the rotation
// error in degrees, both inclusive. It converts to and from geom.Threshold.
type Threshold struct {
	Meters  float64 `json:"meters"`
	Degrees float64 `json:"degrees"`
}

// Feature is a global feature type, or a pairs file in place of one.
type Feature struct {
	Name string `json:"name"`
	Kind string `json:"kind"`          // "global_features", "pairs", "computed", "extracted", …
	Dim  int    `json:"dim,omitempty"` // numbers a descriptor; 0: not a descriptor
	From string `json:"from"`          // folder, file or "tiny-image of this program"
	// Settings say which network extracted it, and how; empty: not known.
	Settings string `json:"settings,omitempty"`
}

// OracleKind is the kind of features that know the truth.
const OracleKind = "oracle"

// Method is a localization method with the parameters that it ran with.
type Method struct {
	Name       string            `json:"name"`
	Parameters map[string]string `json:"parameters,omitempty"`
}

// LeftOut is something that the scene or the user named and that did not run.
type LeftOut struct {
	Kind   string `json:"kind"` // "method", "feature", "topk", …
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// TopK is one number of retrieved images. Uses is less than K where the scene
// has fewer mapping images; Note says so.
type TopK struct {
	K    int    `json:"k"`
	Uses int    `json:"uses"`
	Note string `json:"note,omitempty"`
}

// Counts are the sizes of what ran.
type Counts struct {
	Mapping int `json:"mapping"` // mapping images
	Queries int `json:"queries"`
	// QueriesWithTruth have a known pose: error figures are over these.
	QueriesWithTruth   int `json:"queries_with_truth"`
	MappingWithoutPose int `json:"mapping_without_pose"`
	// WithoutFeature counts the images that lack a feature, by feature name.
	WithoutFeature map[string]int `json:"without_feature,omitempty"`
}

// Versions are the versions of what ran.
type Versions struct {
	Locbench string `json:"locbench"`
	Go       string `json:"go"`
	SIMD     bool   `json:"simd"`
	Backend  string `json:"backend"`
}

// Stage is one stage of the run.
type Stage struct {
	Name    string    `json:"name"`
	Key     string    `json:"key"` // hash of its inputs and options
	Seconds float64   `json:"seconds"`
	DoneAt  time.Time `json:"done_at"`
	Skipped bool      `json:"skipped,omitempty"` // done by an earlier call, not again
	StageFigures
}

// StageFigures say what a stage took, when it was done.
type StageFigures struct {
	Items int    `json:"items,omitempty"` // that it worked on, such as images
	Of    string `json:"of,omitempty"`    // what they are: images, queries, pairs
	Bytes int64  `json:"bytes,omitempty"` // of the files that it wrote
	// PeakMemory is the most memory that the process had held by its end, bytes; 0:
	// the system does not say.
	PeakMemory int64 `json:"peak_memory,omitempty"`
}

// WriteManifest writes m to path as indented JSON. A zero Format becomes
// [ManifestFormat].
func WriteManifest(path string, m *Manifest) error {
	out := *m
	if out.Format == 0 {
		out.Format = ManifestFormat
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&out); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

// ReadManifest reads what [WriteManifest] wrote. Text that is not such a file
// is a [FormatError].
func ReadManifest(path string) (*Manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, manifestError(path, text, err)
	}
	if m.Format != ManifestFormat {
		return nil, &FormatError{Path: path, Msg: fmt.Sprintf("want a manifest of format %d, found %d", ManifestFormat, m.Format)}
	}
	for _, ts := range [][]Threshold{m.Scene.Thresholds, m.Scene.RecallThresholds} {
		for _, t := range ts {
			if !(t.Meters > 0) || !(t.Degrees > 0) {
				return nil, &FormatError{Path: path, Msg: fmt.Sprintf("want thresholds above 0, found %g m, %g°", t.Meters, t.Degrees)}
			}
		}
	}
	return &m, nil
}

// manifestError turns an error of encoding/json into one with a line.
func manifestError(path string, text []byte, err error) error {
	offset := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = e.Offset
	}
	line := 0
	if offset >= 0 {
		line = 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n"))
	}
	return &FormatError{Path: path, Line: line, Msg: "want a run's manifest in JSON, found " + err.Error()}
}
