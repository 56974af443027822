package eblocal

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

type callerIdentity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

func (s *Server) stsActions() map[string]action {
	return map[string]action{"GetCallerIdentity": getCallerIdentity}
}

func getCallerIdentity(*call) (any, error) {
	return callerIdentity{
		Arn:     "arn:aws:iam::" + account + ":user/eb-local",
		UserID:  "eb-local",
		Account: account,
	}, nil
}
