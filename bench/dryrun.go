package bench

import (
	"context"
	"path/filepath"
	"runtime"

	"locbench/retrieval/backend"
)

// Step is one stage of a plan, as the dry run shows it.
type Step struct {
	Name    string
	Done    bool    // finished earlier, with the same inputs
	Seconds float64 // a rough estimate of what is left to do
	Bytes   int64   // likewise, of what it will write
}

// Steps tells what Run would do, without writing anything. The estimates are
// from sizes and typical speeds; they are right within a factor of a few.
func (p *Plan) Steps(ctx context.Context) ([]Step, error) {
	p.announce()
	var err error
	if p.backend, err = backend.Open(p.o.Backend); err != nil {
		return nil, err
	}
	defer p.backend.Close()
	var steps []Step
	stale := map[string]bool{} // features whose pairs will be new
	left := false
	for _, s := range p.stages() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		step := Step{Name: s.name, Done: !stale[s.feature] && !(s.feature == "" && left) && p.run.isDone(ctx, s)}
		if !step.Done {
			left = true
			stale[s.feature] = stale[s.feature] || s.feeds
			step.Seconds, step.Bytes = s.cost.seconds, s.cost.bytes
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// Out is the run directory.
func (p *Plan) Out() string { return filepath.Clean(p.o.Out) }

// Typical speeds, for estimates only.
const (
	flopsPerCore    = 4e10   // of a similarity product
	readBytesPerSec = 4e8    // of small feature files
	imageSeconds    = 0.02   // to decode and shrink a megapixel image
	poseSeconds     = 4e-6   // to average one retrieved pose
	bdiSeconds      = 1.5e-9 // of the least squares of BDI, a number of a descriptor and k squared
	poseBytes       = 420    // of sensors, records, trajectory and submission lines besides names
	rowBytes        = 140    // of a results row besides names

	verifySeconds = 0.03  // to look for the relative pose of two images
	matchFlops    = 5e10  // of the products of one core
	keypointGuess = 2000  // an image, where nothing is read yet
	solveSeconds  = 0.004 // to find a query's pose by matches, at one k
	tracksSeconds = 0.003 // to triangulate what an image sees
)

// matchCost is that of the pairs that will be matched, as far as they can be
// known before retrieval: features that retrieve the same make it less.
func (p *Plan) matchCost() cost {
	pairs := float64(len(p.queries) * p.maxK() * len(p.features))
	if p.triangulates() {
		pairs += float64(len(p.mapping) * mapNeighbors / 2)
	}
	cores := float64(min(p.o.Jobs, runtime.NumCPU()))
	product := 2.0 * keypointGuess * keypointGuess * 128 / matchFlops
	return cost{seconds: pairs * (verifySeconds + product) / cores, bytes: int64(pairs * 200 * 24)}
}

// structureCost is that of a method on local features.
func (p *Plan) structureCost() cost {
	cores := float64(min(p.o.Jobs, runtime.NumCPU()))
	q, ks := float64(len(p.queries)), float64(len(p.topk))
	return cost{seconds: q * ks * solveSeconds / cores, bytes: int64(q * ks * (3*p.nameBytes(true) + poseBytes + rowBytes))}
}

func (p *Plan) mapCost() cost {
	n := float64(len(p.mapping))
	return cost{seconds: n * tracksSeconds, bytes: int64(n * 20e3)}
}

func (p *Plan) retrieveCost(f *feature) cost {
	q, n := float64(len(p.queries)), float64(len(p.mapping))
	k := float64(p.maxK())
	line := p.nameBytes(true) + p.nameBytes(false) + 24
	cores := float64(min(p.o.Jobs, runtime.NumCPU()))
	return cost{
		seconds: (q+n)*float64(4*f.dim)/readBytesPerSec + 2*q*n*float64(f.dim)/(flopsPerCore*cores),
		bytes:   int64(q * k * line),
	}
}

func (p *Plan) localizeCost(f *feature, method string) cost {
	if matching(method) {
		return p.structureCost()
	}
	q, poses, squares, ks := float64(len(p.queries)), 0.0, 0.0, float64(len(p.topk))
	for _, k := range p.topk {
		poses += float64(k.Uses)
		squares += float64(k.Uses) * float64(k.Uses)
	}
	work := poses * poseSeconds
	if method == "bdi" {
		work += squares * float64(f.dim) * bdiSeconds
	}
	cores := float64(min(p.o.Jobs, runtime.NumCPU()))
	return cost{
		seconds: q*work/cores + 0.01*ks,
		bytes:   int64(q * ks * (3*p.nameBytes(true) + poseBytes + rowBytes)),
	}
}

func (p *Plan) evaluateCost() cost {
	rows := 0.0
	for _, f := range p.features {
		rows += float64(len(p.queries) * len(p.topk) * len(p.methodsOf(f)))
	}
	return cost{seconds: rows * 2e-6, bytes: int64(rows * (p.nameBytes(true) + rowBytes))}
}

func (p *Plan) baselineCost(f *feature) cost {
	n := float64(len(p.queries) + len(p.mapping))
	return cost{seconds: n * imageSeconds / float64(p.o.Jobs), bytes: int64(n * float64(4*f.dim+1024))}
}

// nameBytes is the mean length of the names of the queries or mapping images.
func (p *Plan) nameBytes(queries bool) float64 {
	images := p.mapping
	if queries {
		images = p.queries
	}
	sum := 0
	for _, im := range images {
		sum += len(im.Name)
	}
	return float64(sum) / float64(len(images))
}
