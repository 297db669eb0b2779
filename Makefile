# locbench: everything a developer types. GOEXPERIMENT=simd turns on the vector
# kernels (matrix products 20 times faster); all of it also works without.
export GOEXPERIMENT ?= simd
GO ?= go
DEMO ?= runs/demo
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.PHONY: build run demo-model test short race bench gpu-build fuzz lint fmt cover tidy clean

build: ## the program, in bin/locbench
	$(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/locbench ./cmd/locbench

demo-model: build ## train the demo network anew: under 15 minutes on 2 cores
	./bin/locbench scenes generate runs/landmarks --kind landmarks --classes 400 --views 20 --size 112 --seed 1
	rm -rf runs/demo-model
	./bin/locbench train --config testdata/demo-model/train.yaml --out runs/demo-model
	cp runs/demo-model/model.safetensors testdata/demo-model/resnet10-ap-demo.safetensors

run: build ## the demo: generate a scene, run the benchmark on it, write the report
	./bin/locbench run --scene demo --data-root runs/data --out $(DEMO) --features tiny-image \
	  --model testdata/demo-model/resnet10-ap-demo.safetensors --max-size 160 --topk 1,2,3,5,10

test: ## all tests, with what they need and nothing hidden
	$(GO) vet ./...
	$(GO) test ./...

short: ## the tests that take under ten seconds
	$(GO) test -short ./...

race:
	$(GO) test -race ./...

bench: ## every benchmark; docs/benchmarks.md says what the figures mean
	$(GO) test -run '^$$' -bench . -benchmem ./...

gpu-build: ## what docs/benchmarks/gpu.sh needs on a machine without Go
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/locbench ./cmd/locbench
	$(GO) test -c -ldflags '-s -w' -o bin/nets.test ./retrieval/nets
	$(GO) test -c -ldflags '-s -w' -o bin/backend.test ./retrieval/backend

FUZZTIME ?= 10s
fuzz: ## every fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	  echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

lint: ## formatting, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run make fmt'; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools.mod staticcheck ./...

fmt:
	gofmt -w .

cover: ## coverage by function, and the total
	$(GO) test -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -n 1

tidy:
	$(GO) mod tidy

clean:
	rm -rf bin runs cover.out
