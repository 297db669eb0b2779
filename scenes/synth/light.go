package synth

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// weather is the light of an hour.
type weather struct {
	night  bool
	sun    r3.Vec // towards it, unit length
	direct rgb    // irradiance of the sun on a surface that faces it
	sky    rgb    // irradiance from the whole sky
	zenith rgb
	low    rgb     // the sky at the horizon
	drift  float64 // where the clouds are
	clouds float64 // how many, 0 to 1
}

// mappingDay is the hour at which the town was mapped: a bright morning.
func mappingDay() weather {
	return day(0.72, 0.85, 0.45, 0)
}

// day returns daylight with the sun at an azimuth and an elevation (radians).
func day(azimuth, elevation, clouds, drift float64) weather {
	low := clamp(1.2 - elevation)
	sun := rgb{1.55, 1.45, 1.28}.blend(rgb{1.6, 1.25, 0.85}, low)
	return weather{
		sun:    r3.Vec{X: math.Cos(azimuth) * math.Cos(elevation), Y: math.Sin(azimuth) * math.Cos(elevation), Z: math.Sin(elevation)},
		direct: sun.scale(1 - 0.75*clamp(clouds*1.6-0.7)),
		sky:    rgb{0.44, 0.52, 0.66}.blend(rgb{0.7, 0.72, 0.76}, clouds),
		zenith: rgb{0.16, 0.34, 0.72}.blend(rgb{0.6, 0.64, 0.7}, clouds*0.6),
		low:    rgb{0.66, 0.78, 0.92}.blend(rgb{0.85, 0.85, 0.84}, clouds*0.7),
		clouds: clouds, drift: drift,
	}
}

// queryDay draws another hour and another sky than the mapping's.
func queryDay(r *rand.Rand) weather {
	return day(between(r, 0.2, 1.7), between(r, 0.6, 1.1), between(r, 0.1, 0.95), between(r, 0, 60))
}

// queryNight is a clear night after sunset; the street lamps are on.
func queryNight(r *rand.Rand) weather {
	k := between(r, 0.8, 1.3)
	return weather{
		night:  true,
		sky:    rgb{0.010, 0.014, 0.028}.scale(k),
		zenith: rgb{0.003, 0.005, 0.013}.scale(k),
		low:    rgb{0.016, 0.018, 0.030}.scale(k),
		clouds: 0.3, drift: between(r, 0, 60),
	}
}

// above returns the sky's radiance in a direction; d need not be of unit length.
func (w *weather) above(d r3.Vec, n *noise) rgb {
	d = unitVec(d)
	up := clamp(d.Z)
	c := w.low.blend(w.zenith, math.Sqrt(up))
	x, y := d.X/(up+0.12)*1.7+w.drift, d.Y/(up+0.12)*1.7
	cloud := 0.55*n.at(x, y) + 0.3*n.at(2.3*x+9, 2.3*y) + 0.15*n.at(5.1*x, 5.1*y+4)
	cover := clamp((cloud - 0.72 + 0.42*w.clouds) * 4)
	if w.night {
		stars := cellHash(11, int(d.X*240/(up+0.3)), int(d.Y*240/(up+0.3)))
		if stars%911 == 0 && cover < 0.5 {
			c = c.add(rgb{0.25, 0.25, 0.3}.scale(unit(mix(stars))))
		}
		return c.blend(w.low.scale(1.3), cover*0.6)
	}
	bright := rgb{1.15, 1.15, 1.13}.scale(0.72 + 0.3*cloud)
	c = c.blend(bright, cover*0.85*clamp(up*6))
	glare := max(0, r3.Dot(d, w.sun))
	return c.add(w.direct.scale(0.25 * math.Pow(glare, 60)))
}

// lampReach is the distance beyond which a street lamp lights nothing.
const lampReach = 15.0

// light lists, for every cell of the grid, the lamps that reach it.
func (t *town) light() {
	t.lit = make([][]int32, t.grid.nx*t.grid.ny)
	for i, l := range t.lamps {
		reach := int(math.Ceil(lampReach / cellSize))
		ci, cj := int((l.at.X-t.grid.x0)/cellSize), int((l.at.Y-t.grid.y0)/cellSize)
		for y := max(0, cj-reach); y <= min(t.grid.ny-1, cj+reach); y++ {
			for x := max(0, ci-reach); x <= min(t.grid.nx-1, ci+reach); x++ {
				c := y*t.grid.nx + x
				t.lit[c] = append(t.lit[c], int32(i))
			}
		}
	}
}

// irradiance returns the light that falls on a surface with unit normal n at a
// point, and whether the sun shines there, if sun does not say it already.
// Lamps cast no shadows: behind a house they face away from its fronts.
func (p *picture) irradiance(at, n r3.Vec, sun sunlight) (rgb, sunlight) {
	t, w := p.town, &p.view.weather
	e := w.sky.scale(0.62 + 0.38*n.Z)
	if w.night {
		if c, ok := t.grid.cell(at.X, at.Y); ok {
			for _, i := range t.lit[c] {
				e = e.add(lampLight(&t.lamps[i], at, n))
			}
		}
		return e, sunAverted
	}
	e = e.add(w.direct.scale(0.13 * (1 - 0.5*n.Z))) // light that the sunny side throws back
	cos := r3.Dot(n, w.sun)
	if sun == sunUnknown {
		switch {
		case cos <= 0:
			sun = sunAverted
		case p.sunny(r3.Add(at, r3.Scale(0.02, n))):
			sun = sunLit
		default:
			sun = sunShade
		}
	}
	if sun == sunLit {
		e = e.add(w.direct.scale(max(cos, 0)))
	}
	return e, sun
}

// sunny reports whether the sun shines on a point. Neighbours mostly lie in
// the same shadow, so the last solid that was in the way is tried first.
func (p *picture) sunny(at r3.Vec) bool {
	far := hit{t: math.Inf(1)}
	r := newRay(at, p.view.weather.sun)
	if p.shadow != nil {
		if _, _, ok := p.shadow.meet(&r, far.t); ok {
			return false
		}
	}
	p.shadow = p.town.grid.blocker(&r)
	return p.shadow == nil && castFigures(p.view.extra, &r, far).solid == nil
}

func lampLight(l *lamp, p, n r3.Vec) rgb {
	d := r3.Sub(l.at, p)
	d2 := r3.Norm2(d)
	if d2 > lampReach*lampReach {
		return rgb{}
	}
	cos := max(0, r3.Dot(d, n)/math.Sqrt(d2))
	fade := 1 - d2/(lampReach*lampReach)
	return l.color.scale(2.9 * cos * fade * fade / (4 + d2))
}
