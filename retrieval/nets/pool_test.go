package nets

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomPlane has NaN outside the picture: no pooling may look there.
func randomPlane(h, w, c int) *plane {
	rng := rand.New(rand.NewPCG(uint64(h), uint64(w)))
	p := newPlane(make([]float32, planeSize(1, h, w, c)), 1, h, w, c)
	for i := range p.data {
		p.data[i] = float32(math.NaN())
	}
	for y := range h {
		for x := range w {
			for i := range c {
				p.data[p.at(y, x)+i] = max(0, float32(rng.NormFloat64()))
			}
		}
	}
	return &p
}

// channel lists the values of a channel in a window.
func (p *plane) channel(c int, w window) []float64 {
	var v []float64
	for y := w.y0; y < w.y1; y++ {
		for x := w.x0; x < w.x1; x++ {
			v = append(v, float64(p.data[p.at(y, x)+c]))
		}
	}
	return v
}

func TestPools(t *testing.T) {
	x := randomPlane(5, 7, 3)
	all := window{0, 0, 5, 7}
	for _, p := range []float64{1, 2.3, 3, 17.5} {
		got := (&head{pooling: gem, p: p}).pool(x)
		for c := range got {
			var sum float64
			for _, v := range x.channel(c, all) {
				sum += math.Pow(max(v, 1e-6), p)
			}
			if want := math.Pow(sum/35, 1/p); math.Abs(float64(got[c])-want) > 2e-7*want {
				t.Errorf("gem p=%g channel %d: want %g, found %g", p, c, want, got[c])
			}
		}
	}
	largest, mean := (&head{pooling: mac}).pool(x), (&head{pooling: average}).pool(x)
	for c := range 3 {
		v := x.channel(c, all)
		if want := slices.Max(v); float64(largest[c]) != want {
			t.Errorf("max channel %d: want %g, found %g", c, want, largest[c])
		}
		var sum float64
		for _, v := range v {
			sum += v
		}
		if want := sum / 35; math.Abs(float64(mean[c])-want) > 1e-7 {
			t.Errorf("avg channel %d: want %g, found %g", c, want, mean[c])
		}
	}
}

func TestRegionalMaximum(t *testing.T) {
	x := randomPlane(4, 6, 2)
	got := (&head{pooling: rmac}).pool(x)
	var want [2]float64
	for _, w := range regions(4, 6) {
		a, b := slices.Max(x.channel(0, w)), slices.Max(x.channel(1, w))
		want[0] += a / math.Hypot(a, b)
		want[1] += b / math.Hypot(a, b)
	}
	for c := range want {
		if math.Abs(float64(got[c])-want[c]) > 1e-6*want[c] {
			t.Errorf("channel %d: want %g, found %g", c, want[c], got[c])
		}
	}
}

// TestRegions is worked out by hand for 24×32: neighbours of the first scale,
// 24 wide, are 8 apart and overlap by 67 %, which is as close to 40 % as it gets.
func TestRegions(t *testing.T) {
	want := []window{{0, 0, 24, 32}, {0, 0, 24, 24}, {0, 8, 24, 32}}
	for _, y := range []int{0, 8} {
		for _, x := range []int{0, 8, 16} {
			want = append(want, window{y, x, y + 16, x + 16})
		}
	}
	for _, y := range []int{0, 6, 12} {
		for _, x := range []int{0, 6, 13, 20} {
			want = append(want, window{y, x, y + 12, x + 12})
		}
	}
	if got := regions(24, 32); !slices.Equal(got, want) {
		t.Errorf("want %v, found %v", want, got)
	}
	for _, w := range regions(32, 24) { // the same turned
		if !slices.Contains(want, window{w.x0, w.y0, w.x1, w.y1}) {
			t.Errorf("32×24: region %v is not a turned one of 24×32", w)
		}
	}
	if got := len(regions(20, 20)); got != 1+1+4+9 {
		t.Errorf("square: want 15 regions, found %d", got)
	}
	for h := 1; h < 40; h++ {
		for w := 1; w < 40; w++ {
			for _, r := range regions(h, w) {
				if r.y0 < 0 || r.x0 < 0 || r.y1 > h || r.x1 > w || r.y0 >= r.y1 || r.x0 >= r.x1 {
					t.Fatalf("%d×%d: region %v", h, w, r)
				}
			}
		}
	}
}

// TestPower holds the tables against math.Pow over what features can be.
func TestPower(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, p := range []float64{0.5, 1, 2.92, 3.1, 6, 150, 1000} {
		w := newPower(p)
		for range 20_000 {
			x := float32(math.Exp(rng.Float64()*24 - 13.8)) // 1e-6 … 3e4
			want := math.Pow(float64(x), p)
			if got := w.of(x); math.Abs(got-want) > 1e-12*(1+p)*want {
				t.Fatalf("%g^%g: want %g, found %g", x, p, want, got)
			}
		}
	}
}

// TestCenterBias compares with the bilinear interpolation of the 4×4 map.
func TestCenterBias(t *testing.T) {
	grid := [4][4]float64{{}, {0, 1, 1, 0}, {0, 1, 1, 0}, {}}
	const h, w, b = 5, 9, 0.4
	x := newPlane(make([]float32, planeSize(1, h, w, 1)), 1, h, w, 1)
	for y := range h {
		for i := range w {
			x.data[x.at(y, i)] = 2
		}
	}
	biasCenter(&x, b)
	for y := range h {
		for i := range w {
			v, u := 3*float64(y)/(h-1), 3*float64(i)/(w-1)
			y0, x0 := min(int(v), 2), min(int(u), 2)
			fy, fx := v-float64(y0), u-float64(x0)
			top := grid[y0][x0]*(1-fx) + grid[y0][x0+1]*fx
			bottom := grid[y0+1][x0]*(1-fx) + grid[y0+1][x0+1]*fx
			want := 2 * (1 + b*(top*(1-fy)+bottom*fy))
			if got := x.data[x.at(y, i)]; math.Abs(float64(got)-want) > 1e-6 {
				t.Errorf("%d,%d: want %g, found %g", y, i, want, got)
			}
		}
	}
}
