package reports

import "math"

// Errors of millions of rows are in a page as text of three letters each: codes
// of 18 bits, 0 for none, 1 for less than the smallest, the others on a
// logarithmic scale. A step is 0.012 %, so that four significant digits survive
// but for a half in the last one. page/queries.js reads them.
const (
	packLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	packLeast   = -7 // decimal exponents of the scale
	packMost    = 7
	packSteps   = float64(1<<18-3) / (packMost - packLeast)
)

// pack writes values from 0 up. NaN and infinite ones are none.
func pack(values []float64) string {
	b := make([]byte, 0, 3*len(values))
	for _, v := range values {
		c := packCode(v)
		b = append(b, packLetters[c>>12], packLetters[c>>6&63], packLetters[c&63])
	}
	return string(b)
}

func packCode(v float64) int {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	e := math.Log10(v)
	if !(e >= packLeast) {
		return 1
	}
	return 2 + int(math.Round((min(e, packMost)-packLeast)*packSteps))
}
