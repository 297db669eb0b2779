package bench

import (
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"locbench/localize/sfm"
)

// Methods are the localization methods, in the order of tables: the three pose
// approximations of Pion et al. (3DV 2020, section 3.1), local SfM as published and
// refined, and the global map.
var Methods = []string{"ewb", "bdi", "csi", "local-sfm", "local-sfm+", "global-map"}

// DefaultTopK are the numbers of retrieved images of the paper's figures.
var DefaultTopK = []int{1, 2, 3, 4, 5, 10, 20, 50}

// DefaultCSIAlpha is the exponent of the published CSI tables.
const DefaultCSIAlpha = 8

// Options are the choices of one run. The zero value of a list means all that
// the scene has.
type Options struct {
	Out      string      // the run directory
	Features []string    // global feature types to compare
	Model    string      // a network's checkpoint: its feature, of the file's name, is computed where it is missing
	Protocol string      // of the network, see extract.Preset
	MaxSize  int         // the network sees images with longer sides of at most that many pixels; 0: as the protocol says
	Pairs    []PairsFile // pairs files in place of global features
	Oracle   bool        // beside them, retrieval that knows the truth
	TopK     []int       // numbers of retrieved images
	Methods  []string    // localization methods, of [Methods]
	CSIAlpha float64     // exponent of CSI
	// LocalFeatures is the type of keypoints that methods on local features use;
	// "": the only one there is.
	LocalFeatures string
	// Rerank is the order in which retrieved images are used by methods on local
	// features, of sfm.Reranks; "": as retrieved. Duplicates says what global-map does
	// with 2D-3D matches that contradict each other, of sfm.DuplicateChoices; "": keep.
	Rerank, Duplicates string
	// Map is a folder with reconstruction/points3d.txt and observations.txt for
	// global-map; "": the scene's own, or one that the run makes.
	Map string
	// Fallback gives queries that such a method cannot localize the pose of the
	// first retrieved image, and marks them.
	Fallback bool
	// Alone localizes each image of a rig by itself, as the published tables do.
	// Else local-sfm+ and global-map estimate one pose for the cameras of a rig.
	Alone   bool
	Seed    uint64 // everything random derives from it
	Backend string // see package retrieval/backend; "" is the best that works here
	Jobs    int    // workers; results do not depend on it
	Force   bool   // do finished stages again

	matched bool // all matches are there: descriptors are not needed

	Args     []string // the command line, for the manifest
	Version  string   // of locbench, for the manifest
	Log      *slog.Logger
	Progress Progress
}

// PairsFile is a kapture pairs file that stands for a feature of that name.
type PairsFile struct{ Name, File string }

// Progress shows how far a stage is. Start begins a bar of total steps, Add
// counts steps and may be called from several goroutines, Done ends the bar.
type Progress interface {
	Start(name string, total int)
	Add(n int)
	Done()
}

// UsageError is a choice that cannot be met: exit code 2.
type UsageError struct{ Msg string }

func (e *UsageError) Error() string { return e.Msg }

func usagef(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// checked returns o with defaults filled in, or a [*UsageError].
func (o Options) checked() (Options, error) {
	if o.Out == "" {
		return o, usagef("want a run directory, found none")
	}
	if len(o.Methods) == 0 {
		o.Methods = Methods
	}
	for _, m := range o.Methods {
		if !slices.Contains(Methods, m) {
			return o, usagef("unknown method %q: this version has %s", m, strings.Join(Methods, ", "))
		}
	}
	if o.Model != "" && o.modelFeature() == "" {
		return o, usagef("want a model's file with a name, which its feature gets, found %s", o.Model)
	}
	if o.Protocol != "" && o.Model == "" {
		return o, usagef("want a model for protocol %s, found none", o.Protocol)
	}
	if o.MaxSize < 0 || o.MaxSize > 0 && o.Model == "" {
		return o, usagef("want a model and a size in pixels for max-size, found %d", o.MaxSize)
	}
	if o.Rerank != "" && !slices.Contains(sfm.Reranks, o.Rerank) {
		return o, usagef("want a rerank of %s, found %q", strings.Join(sfm.Reranks, ", "), o.Rerank)
	}
	if o.Duplicates != "" && !slices.Contains(sfm.DuplicateChoices, o.Duplicates) {
		return o, usagef("want duplicates of %s, found %q", strings.Join(sfm.DuplicateChoices, ", "), o.Duplicates)
	}
	for _, k := range o.TopK {
		if k < 1 {
			return o, usagef("want top k of at least 1, found %d", k)
		}
	}
	if !(o.CSIAlpha >= 0) || math.IsInf(o.CSIAlpha, 1) {
		return o, usagef("want a CSI alpha of at least 0, found %v", o.CSIAlpha)
	}
	for _, p := range o.Pairs {
		if p.Name == "" || p.Name == "." || p.Name == ".." || strings.ContainsAny(p.Name, `/\`) || strings.ContainsFunc(p.Name, unicode.IsControl) {
			return o, usagef("want a plain name for the pairs file %s, found %q", p.File, p.Name)
		}
	}
	if o.Jobs < 1 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = noProgress{}
	}
	o.TopK = sortedUnique(o.TopK)
	o.Methods = inTableOrder(o.Methods)
	return o, nil
}

func sortedUnique(ks []int) []int {
	ks = slices.Clone(ks)
	slices.Sort(ks)
	return slices.Compact(ks)
}

func inTableOrder(methods []string) []string {
	var out []string
	for _, m := range Methods {
		if slices.Contains(methods, m) {
			out = append(out, m)
		}
	}
	return out
}

type noProgress struct{}

func (noProgress) Start(string, int) {}
func (noProgress) Add(int)           {}
func (noProgress) Done()             {}
