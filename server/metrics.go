package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pehchan/pehchan/tenants/access"
)

// metrics count requests by the pattern of their route, never by path: paths hold ids, and anybody can make up more of them.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pehchan_http_requests_total", Help: "Requests answered, by method, route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pehchan_http_request_seconds", Help: "Time to answer, in seconds, by route.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
	}
	passwords := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "pehchan_passwords_hashed_total", Help: "Passwords hashed or checked: many of them mean that somebody guesses.",
	}, func() float64 { return float64(access.Hashed()) })
	m.registry.MustRegister(m.requests, m.seconds, passwords, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	return m
}

func (m *metrics) count(c *fiber.Ctx, took time.Duration) {
	route := c.Route().Path
	// What matched nothing ends at the middleware, whose own pattern is "/".
	if route == "/" && c.Path() != "/" {
		route = "none"
	}
	m.requests.WithLabelValues(c.Method(), route, strconv.Itoa(c.Response().StatusCode())).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// serveMetrics answers /metrics on an address of its own, which is not for the public, until ctx ends.
func (s *Server) serveMetrics(ctx context.Context) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Config.MetricsListen)
	if err != nil {
		return fmt.Errorf("listen for metrics on %s: %w", s.Config.MetricsListen, err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("metrics ended", "error", err)
		}
	}()
	s.Log.Info("metrics", "address", ln.Addr().String())

	return nil
}
