// Command app is the container of the tests: it serves a page, or exits: badly or well.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	if reason := os.Getenv("DIE"); reason != "" {
		log.Fatal(reason)
	}
	if os.Getenv("DONE") != "" {
		return
	}
	log.Println("serving", os.Getenv("TEXT"))
	http.HandleFunc("/", page)
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}

// page is the container's text, its property, and what its peer says.
func page(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "text=%s property=%s", os.Getenv("TEXT"), os.Getenv("PROPERTY"))
	peer := os.Getenv("PEER")
	if peer == "" {
		return
	}
	resp, err := http.Get("http://" + peer)
	if err != nil {
		fmt.Fprintf(w, " peer failed: %v", err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Fprintf(w, " peer: %s", body)
}
