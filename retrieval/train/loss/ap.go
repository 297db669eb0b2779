package loss

import "math"

// Form is how Average Precision treats images that share a bin.
type Form int

// The forms.
const (
	Plain      Form = iota // all of a bin count as ranked at its end
	TieAware               // the mean over all orders of a bin
	Simplified             // the tie-aware form, approximated
)

// AP is one minus the mean Average Precision of the queries, made differentiable
// by sorting similarities into bins.
//
// Bin k of M has its centre b_k at Max − k·Δ, Δ = (Max−Min)/(M−1). An image of
// similarity s counts for it by max(0, 1−|s−b_k|/Δ): at most two bins share an
// image. Beyond the outermost centres it counts for the outermost bin, and has no
// gradient. With c_k all images and p_k the positive ones in bin k, and C and P
// their sums over bins 1…k, the plain form is
//
//	AP = Σ_k P_k/C_k · p_k/P_M
//
// (Revaud et al., section 3.2). He et al. give the tie-aware form in equation 7
// and the simplified one in equation 9.
type AP struct {
	Bins     int
	Min, Max float64 // centres of the last and the first bin
	Form     Form
	// Distance sorts 1 − √(2.001 − 2s) in place of the similarity s: bins of
	// equal distance between descriptors.
	Distance bool
}

// The summands that keep empty bins from dividing by zero; those of the authors.
const (
	epsPlain    = 1e-16
	epsTieAware = 1e-8
)

// Kinds of an image in a query's ranking.
const (
	other   int8 = iota // counts as a negative
	match               // a positive
	skipped             // not in the ranking
)

// ranker computes the AP of one query after the other.
type ranker struct {
	ap    AP
	scale float64 // bins per unit of similarity
	all   []float64
	pos   []float64
	gAll  []float64 // derivative of the AP by all
	gPos  []float64
	at    []float64 // place among the bins, by image
	slope []float64 // of what is sorted by the similarity, by image
}

func newRanker(ap AP) *ranker {
	bins := func() []float64 { return make([]float64, ap.Bins) }
	return &ranker{
		ap: ap, scale: float64(ap.Bins-1) / (ap.Max - ap.Min),
		all: bins(), pos: bins(), gAll: bins(), gPos: bins(),
	}
}

// rank returns the AP of a query with the similarities s to images of the given
// kinds, and fills grad with its derivative by each. Without a positive it
// returns NaN and leaves grad as it is.
func (r *ranker) rank(s []float64, kinds []int8, grad []float64) float64 {
	positives := r.count(s, kinds)
	if positives == 0 {
		return math.NaN()
	}
	var ap float64
	switch r.ap.Form {
	case Plain:
		ap = r.plain(positives)
	case TieAware:
		ap = r.tieAware(positives)
	default:
		ap = r.simplified(positives)
	}
	last := float64(r.ap.Bins - 1)
	for j, kind := range kinds {
		u := r.at[j]
		if kind == skipped || !(u > 0 && u < last) {
			grad[j] = 0
			continue
		}
		k := int(u)
		g := r.gAll[k] - r.gAll[k+1]
		if kind == match {
			g += r.gPos[k] - r.gPos[k+1]
		}
		grad[j] = g * r.slope[j]
	}
	return ap
}

// count fills the bins, and returns how many positives there are.
func (r *ranker) count(s []float64, kinds []int8) (positives float64) {
	clear(r.all)
	clear(r.pos)
	if len(r.at) < len(s) {
		r.at, r.slope = make([]float64, len(s)), make([]float64, len(s))
	}
	last := float64(r.ap.Bins - 1)
	for j, kind := range kinds {
		if kind == skipped {
			continue
		}
		x, slope := s[j], 1.0
		if r.ap.Distance {
			d := math.Sqrt(2.001 - 2*x)
			x, slope = 1-d, 1/d
		}
		u := (r.ap.Max - x) * r.scale
		r.at[j], r.slope[j] = u, slope*r.scale
		k, second := 0, 0.0
		switch {
		case u >= last:
			k = r.ap.Bins - 1
		case u > 0:
			k = int(u)
			second = u - float64(k)
		}
		r.all[k] += 1 - second
		if second > 0 {
			r.all[k+1] += second
		}
		if kind == match {
			positives++
			r.pos[k] += 1 - second
			if second > 0 {
				r.pos[k+1] += second
			}
		}
	}
	return positives
}

// plain returns the AP and its derivatives by the bins. Each bin appears in the
// sums of all later ones, whose part is gathered from the last bin down.
func (r *ranker) plain(n float64) (ap float64) {
	all, pos := cumulate(r.all, r.gAll), cumulate(r.pos, r.gPos)
	var laterAll, laterPos float64
	for k := len(all) - 1; k >= 0; k-- {
		c := all[k] + epsPlain
		precision := pos[k] / c
		ap += precision * r.pos[k]
		laterPos += r.pos[k] / c
		laterAll -= r.pos[k] * precision / c
		r.gPos[k] = (precision + laterPos) / n
		r.gAll[k] = laterAll / n
	}
	return ap / n
}

// simplified is plain for Σ p_k (P_{k−1}+P_k+1)/(C_{k−1}+C_k+1)/P_M.
func (r *ranker) simplified(n float64) (ap float64) {
	all, pos := cumulate(r.all, r.gAll), cumulate(r.pos, r.gPos)
	var laterAll, laterPos float64
	for k := len(all) - 1; k >= 0; k-- {
		c := 2*all[k] - r.all[k] + 1
		ratio := (2*pos[k] - r.pos[k] + 1) / c
		ap += ratio * r.pos[k]
		share := r.pos[k] / c
		r.gPos[k] = (ratio + share + laterPos) / n
		r.gAll[k] = (laterAll - share*ratio) / n
		laterPos += 2 * share
		laterAll -= 2 * share * ratio
	}
	return ap / n
}

// tieAware is plain for the mean over the orders of each bin: with A = P_{k−1}+1,
// B = C_{k−1}+1, ρ = (p_k−1)/(c_k−1) and L = ln((C_k+1)/B) a bin adds
// p_k·(c_k·ρ + (A−ρ·B)·L)/c_k.
func (r *ranker) tieAware(n float64) (ap float64) {
	all, pos := cumulate(r.all, r.gAll), cumulate(r.pos, r.gPos)
	var laterAll, laterPos float64
	for k := len(all) - 1; k >= 0; k-- {
		c, p := r.all[k], r.pos[k]
		a, b, end := pos[k]-p+1, all[k]-c+1, all[k]+1
		num, den := max(p-1, 0), max(c-1, 0)+epsTieAware
		rho := num / den
		var rhoPos, rhoAll float64
		if p > 1 {
			rhoPos = 1 / den
		}
		if c > 1 {
			rhoAll = -rho / den
		}
		l := math.Log(end / b)
		count := c + epsTieAware
		sum := c*rho + (a-rho*b)*l
		ap += p * sum / count

		byAll := rho + (c-b*l)*rhoAll + (a-rho*b)/end
		r.gPos[k] = (laterPos + (sum+p*(c-b*l)*rhoPos)/count) / n
		r.gAll[k] = (laterAll + p*(byAll-sum/count)/count) / n
		laterPos += p * l / count
		laterAll += p * (-rho*l + (a-rho*b)*(1/end-1/b)) / count
	}
	return ap / n
}

// cumulate returns the running sums of bins in into.
func cumulate(bins, into []float64) []float64 {
	var sum float64
	for k, v := range bins {
		sum += v
		into[k] = sum
	}
	return into
}
