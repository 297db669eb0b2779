//go:build !amd64

package robust

func tallyPoints(blocks []pointBlock, m *view, limit, bound float64) (cost float64, inliers int) {
	return tallyPointsGeneric(blocks, m, limit, bound)
}

func tallyMatches(blocks []matchBlock, f *[9]float64, limit, bound float64) (cost float64, inliers int) {
	return tallyMatchesGeneric(blocks, f, limit, bound)
}
