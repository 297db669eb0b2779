package train

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"locbench/kapture"
	"locbench/kapture/strictyaml"
	"locbench/retrieval/nets"
	"locbench/retrieval/train/augment"
	"locbench/retrieval/train/loss"
	"locbench/retrieval/train/trainset"
)

// Config holds all settings of a training. Paths are relative to the working
// directory.
type Config struct {
	Model   Model                   `yaml:"model"`
	Data    trainset.Source         `yaml:"data"`
	Augment augment.Config          `yaml:"augment"`
	Sampler trainset.SamplerOptions `yaml:"sampler"`
	Mining  Mining                  `yaml:"mining"`
	Loss    loss.Options            `yaml:"loss"`
	// ClassWeights gives each class of a batch the same weight in the AP.
	ClassWeights bool       `yaml:"class_weights"`
	Optimizer    Optimizer  `yaml:"optimizer"`
	Validation   Validation `yaml:"validation"`
	Whitening    Whitening  `yaml:"whitening"`

	Steps      int `yaml:"steps"`      // of the optimizer
	Accumulate int `yaml:"accumulate"` // batches a step, whose gradients are averaged
	// Checkpoint is how many steps lie between two checkpoints.
	Checkpoint int    `yaml:"checkpoint"`
	Seed       uint64 `yaml:"seed"`
	// BadImages says what to do about an image that cannot be decoded: "replace"
	// it by another one of its class and say so, or stop with an "error".
	BadImages string `yaml:"bad_images"`
	// MixedPrecision computes in bfloat16 where the backend can.
	MixedPrecision bool `yaml:"mixed_precision"`
	// Chunk is how many images are computed at a time; 0 lets the backend choose.
	Chunk int `yaml:"chunk"`
	// CacheMB is for decoded images of a batch, which need not be decoded twice.
	CacheMB int `yaml:"cache_mb"`
}

// Model says which network is trained and what it starts from.
type Model struct {
	// From is a checkpoint: of torchvision, dirtorch or locbench. Empty: the
	// weights are drawn at random.
	From string `yaml:"from"`
	// Arch, Pooling and OutDim are those of the checkpoint where they are empty or
	// 0. An OutDim that the checkpoint does not have gets a new linear layer.
	Arch         string  `yaml:"arch"`
	Pooling      string  `yaml:"pooling"`
	GemP         float64 `yaml:"gemp"` // to start with; 0: the checkpoint's, or 3
	OutDim       int     `yaml:"out_dim"`
	WithoutFC    bool    `yaml:"without_fc"`
	NormFeatures bool    `yaml:"norm_features"`
	// LearnNorms trains scale and shift of the batch normalizations too; their
	// statistics stay frozen.
	LearnNorms bool `yaml:"learn_norms"`
}

// Optimizer are the settings of Adam.
type Optimizer struct {
	LearningRate float64 `yaml:"learning_rate"`
	// Decay is how the rate goes down: "linear" to zero at the last step, or
	// "constant".
	Decay       string  `yaml:"decay"`
	Warmup      int     `yaml:"warmup"` // steps over which the rate rises from zero
	Beta1       float64 `yaml:"beta1"`
	Beta2       float64 `yaml:"beta2"`
	Epsilon     float64 `yaml:"epsilon"`
	WeightDecay float64 `yaml:"weight_decay"`
	GemPRate    float64 `yaml:"gemp_rate"` // factor of the rate for GeM's exponent
}

// Mining draws batches from pools of hard negatives, in place of the sampler's:
// each batch holds queries, with a positive and the hardest negatives each.
type Mining struct {
	Every     int `yaml:"every"`   // steps that a pool serves; 0: no mining
	Queries   int `yaml:"queries"` // of a pool
	Images    int `yaml:"images"`  // of a pool, from which negatives are taken
	Negatives int `yaml:"negatives"`
}

// Validation measures mAP during the training: every image is a query, and those
// of its class are relevant.
type Validation struct {
	Data    trainset.Source `yaml:"data"`     // an empty path: no validation
	Every   int             `yaml:"every"`    // steps
	MaxSize int             `yaml:"max_size"` // longer sides are scaled down to it; 0: as they are
}

// Whitening is learned at the end: a PCA of descriptors of training images.
type Whitening struct {
	Set     string `yaml:"set"`      // its name in the checkpoint; empty: none
	Images  int    `yaml:"images"`   // at most so many, evenly spread
	MaxSize int    `yaml:"max_size"` // as of [Validation]
}

// The values of Config.BadImages and of Optimizer.Decay.
const (
	BadReplace = "replace"
	BadError   = "error"

	DecayLinear   = "linear"
	DecayConstant = "constant"
)

// DefaultConfig returns the settings of Revaud et al. (ICCV 2019): batches of
// 4096 crops, the AP loss, Adam with a rate of 1e-4 that falls to zero over 200
// steps. What it does not have is the data.
func DefaultConfig() Config {
	adam := nets.DefaultAdam()
	return Config{
		Model:        Model{},
		Data:         trainset.DefaultSource(trainset.KindFolder, ""),
		Augment:      augment.Default(800),
		Sampler:      trainset.SamplerOptions{Batch: 4096, Balance: 1},
		Mining:       Mining{Queries: 2000, Images: 20000, Negatives: 5},
		Loss:         loss.DefaultOptions(),
		ClassWeights: true,
		Optimizer: Optimizer{LearningRate: adam.Rate, Decay: DecayLinear, Beta1: adam.Beta1, Beta2: adam.Beta2,
			Epsilon: adam.Epsilon, WeightDecay: adam.WeightDecay, GemPRate: adam.ExponentRate},
		Validation: Validation{Data: trainset.DefaultSource(trainset.KindFolder, ""), Every: 10},
		Whitening:  Whitening{Set: "train", Images: 20000},
		Steps:      200, Accumulate: 1, Checkpoint: 10,
		BadImages: BadReplace, CacheMB: 512,
	}
}

// ReadConfig reads the settings in a YAML file, and then those of set: lines
// such as "loss.bins=20". What neither names has its default; the defaults of
// augment follow from augment.size. Errors are [kapture.InputError]s of the file
// or of "--set KEY=VALUE".
func ReadConfig(path string, set []string) (Config, error) {
	var text []byte
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return Config{}, err
		}
	}
	c := DefaultConfig()
	if _, err := c.apply(path, text, set); err != nil {
		return Config{}, err
	}
	size := c.Augment.Size
	c = DefaultConfig()
	c.Augment = augment.Default(size)
	file, err := c.apply(path, text, set)
	if err != nil {
		return Config{}, err
	}
	return c, c.checkAt(path, file)
}

// apply changes what a file and settings name.
func (c *Config) apply(path string, text []byte, set []string) (file *ast.File, err error) {
	if path != "" {
		if file, err = strictyaml.Decode(path, text, c); err != nil {
			return nil, err
		}
	}
	for _, s := range set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, &kapture.InputError{Path: "--set " + s, Msg: "want KEY=VALUE, such as loss.bins=20"}
		}
		var nested strings.Builder
		parts := strings.Split(key, ".")
		for i, part := range parts {
			fmt.Fprintf(&nested, "%s%s:", strings.Repeat("  ", i), part)
			if i < len(parts)-1 {
				nested.WriteByte('\n')
			}
		}
		if _, err := strictyaml.Decode("--set "+s, []byte(nested.String()+" "+value+"\n"), c); err != nil {
			return nil, err
		}
	}
	return file, nil
}

// section is a part of the settings and what is wrong with it.
type section struct {
	name string
	err  error
}

// checkAt returns what is wrong with the settings, at the lines of their
// sections in the file.
func (c *Config) checkAt(path string, file *ast.File) error {
	var problems []*kapture.InputError
	for _, s := range c.sections() {
		if s.err == nil {
			continue
		}
		e := &kapture.InputError{Path: path, Msg: s.name + ": " + strings.ReplaceAll(s.err.Error(), "\n", "; ")}
		if path == "" {
			e.Path = "settings"
		} else {
			e.Line = strictyaml.Line(file, "$."+s.name)
		}
		problems = append(problems, e)
	}
	return strictyaml.Join(problems)
}

func (c *Config) sections() []section {
	check := func(name string, ok bool, format string, args ...any) section {
		if ok {
			return section{name, nil}
		}
		return section{name, fmt.Errorf(format, args...)}
	}
	s := []section{
		{"data", c.Data.Check()},
		{"augment", c.Augment.Check()},
		{"sampler", c.Sampler.Check()},
		{"loss", c.Loss.Check()},
		{"mining", c.checkMining()},
		{"optimizer", c.Optimizer.check()},
		{"model", c.Model.check()},
		check("steps", c.Steps >= 1, "want at least 1, found %d", c.Steps),
		check("accumulate", c.Accumulate >= 1, "want at least 1, found %d", c.Accumulate),
		check("checkpoint", c.Checkpoint >= 1, "want at least 1 step, found %d", c.Checkpoint),
		check("bad_images", c.BadImages == BadReplace || c.BadImages == BadError, "want replace or error, found %q", c.BadImages),
		check("chunk", c.Chunk >= 0, "want 0 or more images, found %d", c.Chunk),
		check("cache_mb", c.CacheMB >= 0, "want 0 or more, found %d", c.CacheMB),
		check("whitening", c.Whitening.Set == "" || c.Whitening.Images >= 2, "want at least 2 images, found %d", c.Whitening.Images),
		check("whitening", !strings.Contains(c.Whitening.Set, ":"), "want a set without colons, found %q", c.Whitening.Set),
	}
	if v := c.Validation; v.Data.Path != "" {
		s = append(s, section{"validation", v.Data.Check()},
			check("validation", v.Every >= 1, "every: want at least 1 step, found %d", v.Every),
			check("validation", v.Data.Kind != trainset.KindKapture && v.Data.Kind != trainset.KindRetrieval, "data.kind: want a set of classes, found %s", v.Data.Kind))
	}
	return s
}

func (c *Config) checkMining() error {
	m := c.Mining
	if m.Every == 0 {
		return nil
	}
	if m.Every < 0 || m.Negatives < 1 {
		return fmt.Errorf("want every and negatives of at least 1, found %d and %d", m.Every, m.Negatives)
	}
	if need := 2 + m.Negatives; c.Sampler.Batch < need {
		return fmt.Errorf("want a sampler.batch of at least %d for a query, a positive and %d negatives, found %d", need, m.Negatives, c.Sampler.Batch)
	}
	return trainset.PoolOptions{Queries: m.Queries, Images: m.Images}.Check()
}

func (o Optimizer) check() error {
	var errs []error
	check := func(ok bool, name, want string, found any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: want %s, found %v", name, want, found))
		}
	}
	check(o.LearningRate > 0 && o.LearningRate <= 1, "learning_rate", "above 0 and at most 1", o.LearningRate)
	check(o.Decay == DecayLinear || o.Decay == DecayConstant, "decay", "linear or constant", o.Decay)
	check(o.Warmup >= 0, "warmup", "0 or more steps", o.Warmup)
	check(o.Beta1 >= 0 && o.Beta1 < 1, "beta1", "0 to below 1", o.Beta1)
	check(o.Beta2 >= 0 && o.Beta2 < 1, "beta2", "0 to below 1", o.Beta2)
	check(o.Epsilon > 0, "epsilon", "above 0", o.Epsilon)
	check(o.WeightDecay >= 0, "weight_decay", "0 or more", o.WeightDecay)
	check(o.GemPRate >= 0, "gemp_rate", "0 or more", o.GemPRate)
	return errors.Join(errs...)
}

func (m Model) check() error {
	poolings := []string{"", "gem", "max"}
	switch {
	case m.From == "" && m.Arch == "":
		return fmt.Errorf("want from, a checkpoint to start from, or arch, such as resnet50; found neither")
	case !slices.Contains(poolings, m.Pooling):
		return fmt.Errorf("pooling: want gem or max, found %q", m.Pooling)
	case m.GemP < 0 || m.GemP > 100:
		return fmt.Errorf("gemp: want above 0 and at most 100, found %g", m.GemP)
	case m.OutDim < 0:
		return fmt.Errorf("out_dim: want 0 or more, found %d", m.OutDim)
	}
	return nil
}

// rate is the learning rate of a step, counted from 0.
func (c *Config) rate(step int) float64 {
	rate := c.Optimizer.LearningRate
	if c.Optimizer.Decay == DecayLinear {
		rate *= 1 - float64(step)/float64(c.Steps)
	}
	if step < c.Optimizer.Warmup {
		rate *= float64(step+1) / float64(c.Optimizer.Warmup)
	}
	return rate
}

// encode returns the settings as YAML.
func (c *Config) encode() ([]byte, error) { return yaml.Marshal(c) }

// adam are the settings of the optimizer, but for the rate.
func (c *Config) adam() nets.Adam {
	o := c.Optimizer
	return nets.Adam{Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, WeightDecay: o.WeightDecay, ExponentRate: o.GemPRate}
}
