package extract

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Pooling of the descriptors of one image at several scales.
const (
	PoolGeM  = "gem"  // signed power mean
	PoolMean = "mean" // mean
)

// The protocols that [Preset] knows.
const (
	ProtocolEval    = "eval"    // dirtorch's evaluation
	ProtocolKapture = "kapture" // dirtorch's kapture extractor
	ProtocolHLOC    = "hloc"    // hloc's "dir" extractor
)

// Protocols lists the names of [Preset].
func Protocols() []string { return []string{ProtocolEval, ProtocolKapture, ProtocolHLOC} }

// landmarksClean is the PCA set of the published figures.
const landmarksClean = "Landmarks_clean"

// Settings are what descriptors depend on besides the model and the pixels.
type Settings struct {
	Protocol string    `json:"protocol,omitempty"` // the preset that the others come from
	Scales   []float64 `json:"scales"`             // factors of the image's size
	Pool     string    `json:"pool"`               // of several scales: PoolGeM or PoolMean
	GemP     float64   `json:"gemp"`               // exponent of PoolGeM
	// Whiten names the checkpoint's PCA set; "": no whitening. The others are
	// those of retrieval.Whitening.
	Whiten      string  `json:"whiten"`
	WhitenPower float64 `json:"whiten_power"`
	WhitenDim   int     `json:"whiten_dim"` // 0: all
	WhitenMult  float64 `json:"whiten_mult"`
	// MaxSize shrinks an image to that longer side in pixels; 0 keeps its size.
	MaxSize int `json:"max_size"`
	// BoxFilter shrinks to MaxSize by the mean of the covered pixels in place of
	// the antialiased bilinear filter.
	BoxFilter bool `json:"box_filter"`
	EXIF      bool `json:"exif"` // turn images as their EXIF orientation says
}

// Defaults returns plain settings: one scale, images of their own size, no
// whitening.
func Defaults() Settings {
	return Settings{Scales: []float64{1}, Pool: PoolGeM, GemP: 3, WhitenPower: 0.25, WhitenMult: 1}
}

// Preset returns the settings of a protocol; "" stands for [Defaults].
//
//   - eval: whitening Landmarks_clean at power 0.25, original size, one scale:
//     the published mAP (dirtorch.test_dir).
//   - kapture: no whitening, original size, one scale: the published kapture
//     features (dirtorch.extract_kapture). Asked to whiten, it takes power 0.5.
//   - hloc: longer side to 1024 pixels, whitening Landmarks_clean at power 0.25
//     (hloc.extract_features, "dir"). OpenCV's area filter, which it shrinks
//     with, also counts fractions of pixels at the borders of a cell; Pillow's
//     box, which is used here, does not.
func Preset(protocol string) (Settings, error) {
	s := Defaults()
	s.Protocol = protocol
	switch protocol {
	case "":
	case ProtocolEval:
		s.Whiten = landmarksClean
	case ProtocolKapture:
		s.WhitenPower = 0.5
	case ProtocolHLOC:
		s.Whiten, s.MaxSize, s.BoxFilter = landmarksClean, 1024, true
	default:
		return s, optionf("unknown protocol %q: want %s", protocol, strings.Join(Protocols(), ", "))
	}
	return s, nil
}

// OptionError is a choice that cannot be met.
type OptionError struct{ Msg string }

func (e *OptionError) Error() string { return e.Msg }

func optionf(format string, args ...any) error { return &OptionError{fmt.Sprintf(format, args...)} }

// Check refuses settings that make no sense for any model, as [*OptionError].
func (s Settings) Check() error {
	const mostScale = 8
	if len(s.Scales) == 0 {
		return optionf("want at least one scale, found none")
	}
	for _, v := range s.Scales {
		if !(v > 0 && v <= mostScale) {
			return optionf("want scales above 0 and at most %d, found %v", mostScale, v)
		}
	}
	switch {
	case s.Pool != PoolGeM && s.Pool != PoolMean:
		return optionf("unknown pooling of scales %q: want %s or %s", s.Pool, PoolGeM, PoolMean)
	case !(s.GemP > 0) || math.IsInf(s.GemP, 1):
		return optionf("want a GeM exponent above 0, found %v", s.GemP)
	case !(s.WhitenPower >= 0) || math.IsInf(s.WhitenPower, 1):
		return optionf("want a whitening power of at least 0, found %v", s.WhitenPower)
	case s.WhitenDim < 0:
		return optionf("want a whitening dimension of at least 0, found %d", s.WhitenDim)
	case !(s.WhitenMult > 0) || math.IsInf(s.WhitenMult, 1):
		return optionf("want a whitening factor above 0, found %v", s.WhitenMult)
	case s.MaxSize < 0:
		return optionf("want a largest side of at least 0 pixels, found %d", s.MaxSize)
	}
	return nil
}

// same reports whether descriptors made with s and t are the same, by whatever
// name the settings go.
func (s Settings) same(t Settings) bool { return s.String() == t.String() }

// String says what the settings do, without the name of the protocol. Settings
// that do nothing, such as the filter for images that keep their size, are not
// in it.
func (s Settings) String() string {
	var parts []string
	if s.MaxSize == 0 {
		parts = append(parts, "original size")
	} else {
		filter := "bilinear"
		if s.BoxFilter {
			filter = "box"
		}
		parts = append(parts, fmt.Sprintf("longer side at most %d px (%s)", s.MaxSize, filter))
	}
	if s.EXIF {
		parts = append(parts, "turned by EXIF")
	}
	if len(s.Scales) > 1 {
		pool := s.Pool
		if pool == PoolGeM {
			pool += " " + number(s.GemP)
		}
		parts = append(parts, "scales "+numbers(s.Scales)+" pooled by "+pool)
	} else if !slices.Equal(s.Scales, []float64{1}) {
		parts = append(parts, "scale "+numbers(s.Scales))
	}
	if s.Whiten == "" {
		return strings.Join(append(parts, "no whitening"), ", ")
	}
	whiten := "whitening " + s.Whiten + " at power " + number(s.WhitenPower)
	if s.WhitenDim > 0 {
		whiten += " to " + strconv.Itoa(s.WhitenDim) + " dimensions"
	}
	return strings.Join(append(parts, whiten), ", ")
}

// Summary is String with the protocol before it, and whether it was changed.
func (s Settings) Summary() string {
	if s.Protocol == "" {
		return s.String()
	}
	name := "protocol " + s.Protocol
	if preset, err := Preset(s.Protocol); err != nil || !preset.same(s) {
		name += " (changed)"
	}
	return name + ": " + s.String()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func numbers(vs []float64) string {
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = number(v)
	}
	return strings.Join(texts, ", ")
}
