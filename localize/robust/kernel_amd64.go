package robust

import "golang.org/x/sys/cpu"

// vectors says that the processor has the instructions of the vector kernels.
var vectors = cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasPOPCNT

//go:noescape
func tallyPoints512(blocks *pointBlock, n int, m *view, limit float64, sum *[lanes]float64) (inliers int)

//go:noescape
func tallyMatches512(blocks *matchBlock, n int, f *[9]float64, limit float64, sum *[lanes]float64) (inliers int)

// tallyPoints is tallyPointsGeneric, eight lanes at a time where the processor
// has them.
func tallyPoints(blocks []pointBlock, m *view, limit, bound float64) (cost float64, inliers int) {
	if !vectors {
		return tallyPointsGeneric(blocks, m, limit, bound)
	}
	var sum [lanes]float64
	for i := 0; i < len(blocks); i += boundEvery {
		inliers += tallyPoints512(&blocks[i], min(boundEvery, len(blocks)-i), m, limit, &sum)
		if cost = add(&sum); cost > bound {
			return cost, 0
		}
	}
	return cost, inliers
}

// tallyMatches is tallyMatchesGeneric, eight lanes at a time where the
// processor has them.
func tallyMatches(blocks []matchBlock, f *[9]float64, limit, bound float64) (cost float64, inliers int) {
	if !vectors {
		return tallyMatchesGeneric(blocks, f, limit, bound)
	}
	var sum [lanes]float64
	for i := 0; i < len(blocks); i += boundEvery {
		inliers += tallyMatches512(&blocks[i], min(boundEvery, len(blocks)-i), f, limit, &sum)
		if cost = add(&sum); cost > bound {
			return cost, 0
		}
	}
	return cost, inliers
}
