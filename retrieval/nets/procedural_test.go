package nets

import (
	"math"
	"strings"
	"sync"
)

// The procedural networks and images of the reference data: every value is a
// hash of the tensor's name and the index.

func fnv1a64(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func splitmix64(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// uniform is U(key, i) in [0, 1), hash = fnv1a64(key).
func uniform(hash uint64, i int) float64 {
	return float64(splitmix64(hash+uint64(i))>>11) * 0x1p-53
}

// procedural computes the tensors of one architecture.
type procedural struct {
	shapes map[string][]int
	last   map[string]bool // batch norms that end a residual block
}

// proceduralTensors returns the tensors of an architecture, each computed once.
func proceduralTensors(name string, outDim int) Tensors {
	a, err := findArch(name)
	if err != nil {
		panic(err)
	}
	p := procedural{shapes: map[string][]int{}, last: map[string]bool{}}
	for _, l := range a.layers() {
		if l.kind != convolution {
			continue
		}
		p.shapes[l.conv+".weight"] = []int{l.to, l.from, l.size, l.size}
		for _, part := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
			p.shapes[l.bn+part] = []int{l.to}
		}
		p.last[l.bn] = l.add >= 0
	}
	p.shapes["adpool.p"] = []int{1}
	p.shapes["fc.weight"] = []int{outDim, a.channels()}
	p.shapes["fc.bias"] = []int{outDim}
	var mu sync.Mutex
	made := map[string][]float32{}
	return func(key string) ([]int, []float32, bool) {
		shape, ok := p.shapes[key]
		if !ok {
			return nil, nil, false
		}
		mu.Lock()
		defer mu.Unlock()
		if made[key] == nil {
			made[key] = p.tensor(key, shape)
		}
		return shape, made[key], true
	}
}

func (p *procedural) tensor(key string, shape []int) []float32 {
	size, fanIn := 1, 1
	for i, n := range shape {
		size *= n
		if i > 0 {
			fanIn *= n
		}
	}
	x := make([]float32, size)
	hash := fnv1a64(key)
	layer, part := key[:strings.LastIndex(key, ".")], key[strings.LastIndex(key, ".")+1:]
	gain, shift := 1., 0.2
	if p.last[layer] {
		gain, shift = 0.5, 0.05
	}
	// A float64() around a product keeps the compiler from fusing it with a sum.
	sign := func(i int) float64 { return 1 - 2*float64(i&1) }
	value := map[string]func(i int) float64{
		"p":            func(int) float64 { return 3 },
		"running_var":  func(i int) float64 { return 0.5 + uniform(hash, i) },
		"running_mean": func(i int) float64 { return (2*uniform(hash, i) - 1) * 0.1 },
		"weight":       func(i int) float64 { return (0.5 + uniform(hash, i)) * gain },
		"bias":         func(i int) float64 { return float64((2*uniform(hash, i)-1)*0.1) - shift },
	}[part]
	scale := math.Sqrt(6 / float64(fanIn))
	switch {
	case key == "conv1.weight":
		value = func(i int) float64 { return (2*uniform(hash, i) - 1) * scale }
	case len(shape) == 4:
		value = func(i int) float64 { return float64((2*uniform(hash, i/2)-1)*scale) * sign(i) }
	case key == "fc.weight":
		root := math.Sqrt(float64(fanIn))
		value = func(i int) float64 { return (2*uniform(hash, i/2) - 1) / root * sign(i) }
	case key == "fc.bias":
		value = func(i int) float64 { return (2*uniform(hash, i) - 1) * 0.01 }
	}
	for i := range x {
		x[i] = float32(value(i))
	}
	return x
}

// proceduralPixels is the procedural image of that name, [3][h][w].
func proceduralPixels(name string, h, w int) []float32 {
	coarse, fine := fnv1a64("input:"+name+":coarse"), fnv1a64("input:"+name+":fine")
	bh, bw := (h+31)/32, (w+31)/32
	x := make([]float32, 3*h*w)
	for i := range x {
		c, y, col := i/(h*w), i/w%h, i%w
		low := 2*uniform(coarse, (c*bh+y/32)*bw+col/32) - 1
		high := 2*uniform(fine, i) - 1
		x[i] = float32(float64(1.5*low) + float64(0.5*high))
	}
	return x
}

// planarInput feeds a [3][h][w] image to a network.
func planarInput(x []float32, h, w int) input {
	return input{h: h, w: w, fill: func(y int, row []float32) {
		for i := range w {
			for c := range 3 {
				row[3*i+c] = x[(c*h+y)*w+i]
			}
		}
	}}
}
