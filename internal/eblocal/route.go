package eblocal

import (
	"net/http"
	"strings"
)

// Handler serves the three APIs on one address.
func (s *Server) Handler() http.Handler {
	services := map[string]http.Handler{
		serviceBeanstalk: queryAPI(beanstalkNamespace, s.clock, s.beanstalkActions()),
		serviceSTS:       queryAPI(stsNamespace, s.clock, s.stsActions()),
		serviceS3:        s.store.handler(s.clock),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := serviceOf(r)
		if service != serviceS3 {
			r.Body = http.MaxBytesReader(w, r.Body, maxQueryBytes)
		}
		w.Header().Set("Date", s.clock.now().UTC().Format(http.TimeFormat))
		s.misbehave(service, services[service], w, r)
	})
}

// The services, as requests are signed for them.
const (
	serviceBeanstalk = "elasticbeanstalk"
	serviceSTS       = "sts"
	serviceS3        = "s3"
)

// serviceOf tells which API a request is for: by the scope that it was signed
// for, else by its host, else by the version that a query names. What is left
// can only be S3, whose objects may be fetched without a signature.
func serviceOf(r *http.Request) string {
	for _, name := range []string{signedService(r), hostService(r), queryService(r)} {
		switch name {
		case serviceBeanstalk, serviceSTS, serviceS3:
			return name
		}
	}
	return serviceS3
}

// signedService is the service in the credential scope
// KEY/date/region/service/aws4_request of the header or of a presigned URL.
func signedService(r *http.Request) string {
	scope := r.URL.Query().Get("X-Amz-Credential")
	if _, after, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		scope, _, _ = strings.Cut(after, ",")
	}
	parts := strings.Split(scope, "/")
	if len(parts) < 5 {
		return ""
	}
	return parts[len(parts)-2]
}

func hostService(r *http.Request) string {
	name, _, _ := strings.Cut(r.Host, ".")
	return name
}

func queryService(r *http.Request) string {
	if r.URL.Path != "/" {
		return ""
	}
	switch r.FormValue("Version") {
	case "2010-12-01":
		return serviceBeanstalk
	case "2011-06-15":
		return serviceSTS
	}
	return ""
}
