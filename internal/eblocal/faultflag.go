package eblocal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Set sets a fault by its name, as it is written on a command line: NAME=VALUE,
// or NAME alone for one that is on or off. The error tells what there is.
func (f *Faults) Set(text string) error {
	name, value, given := strings.Cut(text, "=")
	durations, numbers, switches := f.durations(), f.numbers(), f.switches()
	switch {
	case durations[name] != nil:
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return fmt.Errorf("fault %s: expected a duration as in 90s, got %q", name, value)
		}
		*durations[name] = d
	case numbers[name] != nil:
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("fault %s: expected a number, got %q", name, value)
		}
		*numbers[name] = n
	case switches[name] != nil && !given:
		*switches[name] = true
	case name == "refuse" && value != "":
		return f.refuse(value)
	case name == "noise" && value != "":
		f.Noise = append(f.Noise, Noise{Severity: "ERROR", Message: value, Request: newRequestID()})
	default:
		return fmt.Errorf("fault %q: expected one of %s", text, strings.Join(f.names(), ", "))
	}
	return nil
}

func (f *Faults) durations() map[string]*time.Duration {
	return map[string]*time.Duration{
		"latency": &f.Latency, "late-updating": &f.LateUpdating, "dip": &f.Dip, "late-events": &f.LateEvents,
		"late-logs": &f.LateLogs, "processing": &f.Processing,
	}
}

func (f *Faults) numbers() map[string]*int {
	return map[string]*int{"throttle": &f.Throttle, "instance-page": &f.InstancePage, "event-page": &f.EventPage}
}

func (f *Faults) switches() map[string]*bool {
	return map[string]*bool{
		"separate": &f.Separate, "late-label": &f.LateLabel, "hide-failure": &f.HideFailure, "whole-seconds": &f.WholeSeconds,
		"fail-processing": &f.FailProcessing, "upper-case": &f.UpperCase,
	}
}

// names are all that can be set, with what is to be given.
func (f *Faults) names() []string {
	all := []string{"refuse=OPERATION:CODE[:TIMES]", "noise=MESSAGE"}
	for name := range f.durations() {
		all = append(all, name+"=DURATION")
	}
	for name := range f.numbers() {
		all = append(all, name+"=NUMBER")
	}
	for name := range f.switches() {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

var errRefusal = errors.New("fault refuse: expected OPERATION:CODE or OPERATION:CODE:TIMES, as in UpdateEnvironment:Throttling:3")

func (f *Faults) refuse(text string) error {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
		return errRefusal
	}
	r := Refusal{Operation: parts[0], Code: parts[1], Message: "Refused on request."}
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 {
			return errRefusal
		}
		r.Times = n
	}
	f.Refuse = append(f.Refuse, r)
	return nil
}
