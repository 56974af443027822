package eblocal

import (
	"net/http"
	"strings"
)

// Handler serves the three APIs on one address.
func (s *Server) Handler() http.Handler {
	services := map[string]http.Handler{
		"elasticbeanstalk": queryAPI(beanstalkNamespace, s.beanstalkActions()),
		"sts":              queryAPI(stsNamespace, s.stsActions()),
		"s3":               s.store.handler(),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		services[serviceOf(r)].ServeHTTP(w, r)
	})
}

// serviceOf tells which API a request is for: by the scope that it was signed
// for, else by its host, else by the version that a query names. What is left
// can only be S3, whose objects may be fetched without a signature.
func serviceOf(r *http.Request) string {
	for _, name := range []string{signedService(r), hostService(r), queryService(r)} {
		switch name {
		case "elasticbeanstalk", "sts", "s3":
			return name
		}
	}
	return "s3"
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
		return "elasticbeanstalk"
	case "2011-06-15":
		return "sts"
	}
	return ""
}
