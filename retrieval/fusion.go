package retrieval

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"locbench/kapture/nearname"
)

// Fusion is a way to rank by several global features at once (late fusion):
// from the similarities s₁…sₙ of a query and a database image, one a feature,
// it makes one. With weights αᵢ that sum to 1, the methods are those of Csurka
// and Clinchant, An Empirical Study of Fusion Operators for Multimodal Image
// Retrieval (CBMI 2012), in the form that the 3DV 2020 benchmark computes.
type Fusion string

// The eleven methods. Where a formula is not defined for negative
// similarities, they count as 0.
const (
	FusionMean                Fusion = "mean"                 // Σ αᵢsᵢ
	FusionPower               Fusion = "power"                // Π max(sᵢ,0)^αᵢ
	FusionMin                 Fusion = "min"                  // min sᵢ
	FusionMax                 Fusion = "max"                  // max sᵢ
	FusionMeanPower           Fusion = "mean-power"           // γ·mean + (1−γ)·power
	FusionMinMax              Fusion = "min-max"              // (a·min + b·max)/(a+b)
	FusionMeanMin             Fusion = "mean-min"             // γ·mean + (1−γ)·min
	FusionVillenaRoman        Fusion = "villena-roman"        // (1−α)·max + α·min²/(max+min)
	FusionHarmonic            Fusion = "harmonic"             // n / Σ 1/(αᵢsᵢ)
	FusionGeneralizedHarmonic Fusion = "generalized-harmonic" // n / Σ 1/(γ+αᵢsᵢ) − γ
	FusionRoundRobin          Fusion = "round-robin"          // see RoundRobin
)

// FusionParams are the parameters of a [Fusion]; each method reads its own.
type FusionParams struct {
	// Weights are αᵢ, one a feature, at least 0 and scaled to sum 1 here. Nil
	// means equal weights. Read by mean, power, mean-power, mean-min and the
	// harmonic methods; the plain harmonic mean needs them above 0.
	Weights []float64
	// Gamma is the share of the mean in mean-power and mean-min, in [0, 1], and
	// the offset of generalized-harmonic, at least 0.
	Gamma float64
	// Alpha is the share of the second term of villena-roman, in [0, 1].
	// (The benchmark's help text has min in the first term; its code has max,
	// and so do we.)
	Alpha float64
	// Min and Max weigh the two terms of min-max, at least 0.
	Min, Max float64
}

// DefaultFusionParams returns the benchmark's defaults: equal weights and one
// half for every other parameter.
func DefaultFusionParams() FusionParams {
	return FusionParams{Gamma: 0.5, Alpha: 0.5, Min: 0.5, Max: 0.5}
}

func fusions() []Fusion {
	return []Fusion{
		FusionMean, FusionPower, FusionMin, FusionMax, FusionMeanPower, FusionMinMax, FusionMeanMin,
		FusionVillenaRoman, FusionHarmonic, FusionGeneralizedHarmonic, FusionRoundRobin,
	}
}

// ParseFusion reads the name of a method. For an unknown name the error
// proposes the nearest ones.
func ParseFusion(name string) (Fusion, error) {
	var names []string
	for _, f := range fusions() {
		if string(f) == name {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("want a fusion method of %s, found %q%s", strings.Join(names, ", "), name, nearname.DidYouMean(nearname.Closest(name, names)))
}

// Check returns what is wrong with the parameters of f for n features.
func (f Fusion) Check(n int, p FusionParams) error {
	if f == FusionRoundRobin { // reads none
		return nil
	}
	if _, err := f.check(n, p); err != nil {
		return fmt.Errorf("fusion %s: %w", f, err)
	}
	return nil
}

// Fuse returns the fused similarity of a query to each database image:
// sims[i][j] is the similarity by feature i to image j. Images are fused one by
// one, so that rows may hold the whole database or only candidates. Sums are in
// float64 whatever T is.
//
// The error says which parameter is out of range, that rows differ in length,
// or that round-robin, which fuses rankings, was asked for.
func Fuse[T float32 | float64](f Fusion, sims [][]T, p FusionParams) ([]T, error) {
	if len(sims) == 0 {
		return nil, errors.New("want similarities of at least one feature, found none")
	}
	for _, row := range sims {
		if len(row) != len(sims[0]) {
			return nil, fmt.Errorf("want as many similarities of each feature, found %d and %d", len(sims[0]), len(row))
		}
	}
	weights, err := f.check(len(sims), p)
	if err != nil {
		return nil, fmt.Errorf("fusion %s: %w", f, err)
	}
	fused, s := make([]T, len(sims[0])), make([]float64, len(sims))
	for j := range fused {
		for i, row := range sims {
			s[i] = float64(row[j])
		}
		fused[j] = T(f.fuse(s, weights, p))
	}
	return fused, nil
}

// fuse fuses the similarities of one image.
func (f Fusion) fuse(s, weights []float64, p FusionParams) float64 {
	switch f {
	case FusionMean:
		return fuseMean(s, weights)
	case FusionPower:
		return fusePower(s, weights)
	case FusionMin:
		return slices.Min(s)
	case FusionMax:
		return slices.Max(s)
	case FusionMeanPower:
		return p.Gamma*fuseMean(s, weights) + (1-p.Gamma)*fusePower(s, weights)
	case FusionMinMax:
		return (p.Min*slices.Min(s) + p.Max*slices.Max(s)) / (p.Min + p.Max)
	case FusionMeanMin:
		return p.Gamma*fuseMean(s, weights) + (1-p.Gamma)*slices.Min(s)
	case FusionVillenaRoman:
		return fuseVillenaRoman(slices.Min(s), slices.Max(s), p.Alpha)
	case FusionHarmonic:
		return fuseHarmonic(s, weights, 0)
	default: // check admits no other
		return fuseHarmonic(s, weights, p.Gamma)
	}
}

func fuseMean(s, weights []float64) float64 {
	sum := 0.0
	for i, x := range s {
		sum += weights[i] * x
	}
	return sum
}

func fusePower(s, weights []float64) float64 {
	product := 1.0
	for i, x := range s {
		product *= math.Pow(max(x, 0), weights[i])
	}
	return product
}

// fuseVillenaRoman leaves the second term out where its denominator is not
// positive.
func fuseVillenaRoman(low, high, alpha float64) float64 {
	second := 0.0
	if low+high > 0 {
		second = low * low / (low + high)
	}
	return (1-alpha)*high + alpha*second
}

// fuseHarmonic is the harmonic mean of γ+αᵢsᵢ, less γ. It is 0 if one of them is 0.
func fuseHarmonic(s, weights []float64, gamma float64) float64 {
	sum := 0.0
	for i, x := range s {
		sum += 1 / (gamma + weights[i]*max(x, 0))
	}
	return float64(len(s))/sum - gamma
}

// check reports parameters out of range, and returns the weights with sum 1.
func (f Fusion) check(n int, p FusionParams) ([]float64, error) {
	inUnit := func(name string, x float64) error {
		if !(x >= 0 && x <= 1) {
			return fmt.Errorf("want %s in [0, 1], found %v", name, x)
		}
		return nil
	}
	var err error
	switch f {
	case FusionRoundRobin:
		err = errors.New("want rankings, found similarities")
	case FusionMeanPower, FusionMeanMin:
		err = inUnit("gamma", p.Gamma)
	case FusionVillenaRoman:
		err = inUnit("alpha", p.Alpha)
	case FusionGeneralizedHarmonic:
		if !(p.Gamma >= 0) || math.IsInf(p.Gamma, 1) {
			err = fmt.Errorf("want gamma of at least 0, found %v", p.Gamma)
		}
	case FusionMinMax:
		if sum := p.Min + p.Max; !(p.Min >= 0 && p.Max >= 0 && sum > 0) || math.IsInf(sum, 1) {
			err = fmt.Errorf("want weights of min and max of at least 0, not both 0, found %v and %v", p.Min, p.Max)
		}
	default:
		_, err = ParseFusion(string(f))
	}
	if err != nil {
		return nil, err
	}
	return f.unitWeights(n, p.Weights)
}

func (f Fusion) unitWeights(n int, weights []float64) ([]float64, error) {
	unit := make([]float64, n)
	if len(weights) == 0 {
		for i := range unit {
			unit[i] = 1 / float64(n)
		}
		return unit, nil
	}
	if len(weights) != n {
		return nil, fmt.Errorf("want one weight for each of %d features, found %d", n, len(weights))
	}
	sum := 0.0
	for _, w := range weights {
		if !(w >= 0) || f == FusionHarmonic && w == 0 {
			return nil, fmt.Errorf("want weights of at least 0 (above 0 for %s), found %v", FusionHarmonic, weights)
		}
		sum += w
	}
	if sum == 0 || math.IsInf(sum, 1) {
		return nil, fmt.Errorf("want weights with a positive sum, found %v", weights)
	}
	for i, w := range weights {
		unit[i] = w / sum
	}
	return unit, nil
}

// RoundRobin fuses the rankings of one query, best first, as database indices:
// first the best image of each feature in turn, then their second best, and so
// on. An image that is already there is passed over. It returns at most k
// images, or all if k is 0 or less. Each ranking may have its own length.
//
// Similarities of different features do not compare, so the fused images have
// no similarity: in a pairs file the score of the image at place i (from 0) is
// K − i, with K = k or, without a limit, the number of images.
func RoundRobin(rankings [][]int32, k int) []int32 {
	longest := 0
	for _, r := range rankings {
		longest = max(longest, len(r))
	}
	seen := make(map[int32]bool)
	var fused []int32
	for place := range longest {
		for _, r := range rankings {
			if place >= len(r) || seen[r[place]] {
				continue
			}
			if k > 0 && len(fused) == k {
				return fused
			}
			seen[r[place]] = true
			fused = append(fused, r[place])
		}
	}
	return fused
}
