package test

import (
	"fmt"

	"github.com/docker/go-units"

	"github.com/guk0/travois/internal/engine"
)

// meanings are what shells and engines mean by an exit code. Source: POSIX,
// "Exit Status for Commands"; docker run, "Exit status"; 128 and a signal's
// number for a process that a signal ended.
var meanings = map[int]string{
	125: "the code of docker run for a container that the engine could not run; here the suite itself gave it",
	126: "a command was found and could not be executed: it is not executable, or is for another platform",
	127: "a command was not found: is it installed in the image, and in PATH?",
	130: "interrupted by SIGINT",
	134: "ended itself by SIGABRT",
	137: "killed by SIGKILL: by itself or, though the engine does not say so, for want of memory",
	139: "a segmentation fault",
	143: "ended by SIGTERM: something asked it to stop",
}

// explain is an exit code in words. The limit is the container's memory in
// bytes, 0 without one.
func explain(exit engine.Exit, limit int64) string {
	text := fmt.Sprintf("exit code %d", exit.Code)
	meaning := meanings[exit.Code]
	if exit.OOMKilled {
		meaning = outOfMemory(exit.Code, limit)
	}
	if meaning != "" {
		text += " (" + meaning + ")"
	}
	if exit.Error != "" {
		text += ": " + exit.Error
	}
	return text
}

func outOfMemory(code int, limit int64) string {
	who := "killed"
	if code != 137 {
		who = "a process in it was killed"
	}
	if limit == 0 {
		return who + " for want of memory on the machine; it has no limit of its own"
	}
	return fmt.Sprintf("%s for want of memory: its limit is %s (mem_limit); raise it, or let the suite use less", who, units.BytesSize(float64(limit)))
}
