package http

import (
	"maps"
	nethttp "net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"printq/http/api"
	"printq/http/ipp"
	"printq/queue"
	"printq/queue/queuepb"
)

func (s *Server) printers(w *response, r *nethttp.Request) error {
	if err := s.read(w, r, parseQuery(r, "consistency")); err != nil {
		return err
	}
	all, err := s.node.Printers()
	if err != nil {
		return err
	}
	list := api.Printers{Printers: make([]api.Printer, len(all))}
	for i := range all {
		list.Printers[i] = printerOf(&all[i])
	}
	return w.json(nethttp.StatusOK, list)
}

func (s *Server) printer(w *response, r *nethttp.Request) error {
	if err := s.read(w, r, parseQuery(r, "consistency")); err != nil {
		return err
	}
	return s.showPrinter(w, mux.Vars(r)["printer"])
}

func (s *Server) showPrinter(w *response, name string) error {
	p, err := s.node.Printer(name)
	if err != nil {
		return err
	}
	return w.json(nethttp.StatusOK, printerOf(p))
}

// setPrinter makes a printer or changes its settings: all of them, a field that is left out takes its default.
func (s *Server) setPrinter(w *response, r *nethttp.Request) error {
	var v api.PrinterSettings
	return s.actPrinter(w, r, &v, &v.Cause, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		settings, err := s.settingsOf(&v)
		return &queuepb.Command{Body: &queuepb.Command_SetPrinter{
			SetPrinter: &queuepb.SetPrinter{Name: name, Settings: settings, Cause: c},
		}}, err
	})
}

func (s *Server) settingsOf(v *api.PrinterSettings) (settings *queuepb.PrinterSettings, err error) {
	settings = &queuepb.PrinterSettings{Devices: v.Devices, InDoubt: v.InDoubt, Pool: v.Pool}
	if v.Device != "" {
		if len(v.Devices) > 0 {
			return nil, invalid(`give "device" for one or "devices" for a pool, not both`)
		}
		settings.Devices = []string{v.Device}
	}
	if len(settings.Devices) == 0 {
		return nil, invalid(`a printer needs a device: {"device":"tray:DIR"}`)
	}
	for _, uri := range settings.Devices {
		if err := s.checkDevice(uri); err != nil {
			return nil, err
		}
	}
	if settings.Offers, err = offersOf(v.Offers); err != nil {
		return nil, err
	}
	switch v.InDoubt {
	case "", "hold", "reprint", "skip":
	default:
		return nil, invalid("in_doubt is %q: it must be hold, reprint or skip", v.InDoubt)
	}
	switch v.Pool {
	case "", "balanced", "ordered", "standby":
	default:
		return nil, invalid("pool is %q: it must be balanced, ordered or standby", v.Pool)
	}
	for _, d := range []struct {
		name, text string
		field      *int64
	}{{"ttl", v.TTL, &settings.Ttl}, {"keep", v.Keep, &settings.Keep}, {"retention", v.Retention, &settings.Retention}} {
		if d.text == "" || d.text == "0s" {
			continue
		}
		value, err := parseDuration(d.name, d.text, 10*365*24*time.Hour)
		if err != nil {
			return nil, err
		}
		*d.field = int64(value)
	}
	return settings, nil
}

// offersOf are a printer's offers, in the order of their names.
func offersOf(values map[string]string) (offers []*queuepb.Option, err error) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := ipp.CheckOffer(name, values[name]); err != nil {
			return nil, invalid("offers: %v", err)
		}
		if len(values[name]) > queue.MaxText {
			return nil, invalid("offers: %s has %d bytes: it may have %d", name, len(values[name]), queue.MaxText)
		}
		offers = append(offers, &queuepb.Option{Name: name, Value: values[name]})
	}
	return offers, nil
}

func (s *Server) checkDevice(uri string) error {
	if err := checkText("device", uri); err != nil {
		return err
	}
	if s.options.CheckDevice != nil {
		if err := s.options.CheckDevice(uri); err != nil {
			return invalid("%v", err)
		}
	}
	return nil
}

// actPrinter is act for printers.
func (s *Server) actPrinter(w *response, r *nethttp.Request, v any, cause *api.Cause, to func(name string, c *queuepb.Cause) (*queuepb.Command, error)) error {
	if err := s.proposePrinter(w, r, v, cause, to); err != nil {
		return err
	}
	return s.showPrinter(w, mux.Vars(r)["printer"])
}

func (s *Server) proposePrinter(w *response, r *nethttp.Request, v any, cause *api.Cause, to func(name string, c *queuepb.Cause) (*queuepb.Command, error)) error {
	name := mux.Vars(r)["printer"]
	if err := checkText("the printer's name", name); err != nil {
		return err
	}
	if err := s.readJSON(w, r, v); err != nil {
		return err
	}
	c, err := causeOf(*cause)
	if err != nil {
		return err
	}
	cmd, err := to(name, c)
	if err != nil {
		return err
	}
	answer, err := s.propose(r.Context(), cmd, nil)
	w.at = answer.Position
	return err
}

func (s *Server) removePrinter(w *response, r *nethttp.Request) error {
	var v api.Cause
	err := s.proposePrinter(w, r, &v, &v, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_RemovePrinter{
			RemovePrinter: &queuepb.RemovePrinter{Name: name, Cause: c},
		}}, nil
	})
	if err == nil {
		w.WriteHeader(nethttp.StatusNoContent)
	}
	return err
}

func (s *Server) pausePrinter(w *response, r *nethttp.Request) error {
	var v api.Cause
	return s.actPrinter(w, r, &v, &v, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: name, Cause: c}}}, nil
	})
}

func (s *Server) resumePrinter(w *response, r *nethttp.Request) error {
	var v api.Cause
	return s.actPrinter(w, r, &v, &v, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: name, Cause: c}}}, nil
	})
}

func (s *Server) acceptPrinter(w *response, r *nethttp.Request) error {
	return s.setAccepting(w, r, true)
}

func (s *Server) rejectPrinter(w *response, r *nethttp.Request) error {
	return s.setAccepting(w, r, false)
}

func (s *Server) setAccepting(w *response, r *nethttp.Request, accepting bool) error {
	var v api.Cause
	return s.actPrinter(w, r, &v, &v, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_SetAccepting{
			SetAccepting: &queuepb.SetAccepting{Printer: name, Accepting: accepting, Cause: c},
		}}, nil
	})
}

func (s *Server) defaultPrinter(w *response, r *nethttp.Request) error {
	var v api.Cause
	return s.actPrinter(w, r, &v, &v, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_SetDefault{SetDefault: &queuepb.SetDefault{Printer: name, Cause: c}}}, nil
	})
}

// describePrinter changes what people are told: what is not said stays.
func (s *Server) describePrinter(w *response, r *nethttp.Request) error {
	var v api.Description
	return s.actPrinter(w, r, &v, &v.Cause, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		for field, text := range map[string]*string{"info": v.Info, "location": v.Location} {
			if text == nil {
				continue
			}
			if err := checkText(field, *text); err != nil {
				return nil, err
			}
			if len(*text) > 127 { // what IPP allows
				return nil, invalid("%s has %d bytes: it may have 127", field, len(*text))
			}
		}
		return &queuepb.Command{Body: &queuepb.Command_DescribePrinter{
			DescribePrinter: &queuepb.DescribePrinter{Printer: name, Info: v.Info, Location: v.Location, Cause: c},
		}}, nil
	})
}

func (s *Server) adoptPrinter(w *response, r *nethttp.Request) error {
	var v api.Cause
	return s.actPrinter(w, r, &v, &v, func(name string, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: name, Cause: c}}}, nil
	})
}
