package benchmarks

import (
	"testing"
	"time"

	"manifold/internal/testkit/measure"
)

func BenchmarkRenderLive6(b *testing.B)          { compare(b, "RenderLive6") }
func BenchmarkRenderVOD500(b *testing.B)         { compare(b, "RenderVOD500") }
func BenchmarkRenderVOD5000(b *testing.B)        { compare(b, "RenderVOD5000") }
func BenchmarkRenderLiveMPD(b *testing.B)        { compare(b, "RenderLiveMPD") }
func BenchmarkRenderMultiPeriodMPD(b *testing.B) { compare(b, "RenderMultiPeriodMPD") }
func BenchmarkGzipLive6(b *testing.B)            { compare(b, "GzipLive6") }
func BenchmarkGzipVOD500(b *testing.B)           { compare(b, "GzipVOD500") }
func BenchmarkGzipVOD5000(b *testing.B)          { compare(b, "GzipVOD5000") }
func BenchmarkGzipLiveMPD(b *testing.B)          { compare(b, "GzipLiveMPD") }
func BenchmarkCompileVOD500(b *testing.B)        { compare(b, "CompileVOD500") }
func BenchmarkCompileLiveMPD(b *testing.B)       { compare(b, "CompileLiveMPD") }

// compare runs all contenders of a scenario.
func compare(b *testing.B, name string) {
	for _, s := range scenarios {
		if s.name != name {
			continue
		}
		for _, c := range s.contenders(b) {
			b.Run(c.name, c.measure)
		}
		return
	}
	b.Fatalf("there is no scenario %s", name)
}

// measure times c. Beside the wall's time it reports the processor's, all
// threads together: what a library leaves to the garbage collector counts.
func (c contender) measure(b *testing.B) {
	b.ReportAllocs()
	var out []byte
	before := measure.CPU()
	for b.Loop() {
		var err error
		if out, err = c.run(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((measure.CPU()-before)/time.Nanosecond)/float64(b.N), cpuMetric)
	if out != nil {
		b.ReportMetric(float64(len(out)), sizeMetric)
	}
}

const (
	cpuMetric  = "cpu-ns/op"
	sizeMetric = "out-B"
)
