package main

// AccountInputs say as whom the action speaks to AWS.
type AccountInputs struct {
	RoleToAssume string `env:"ROLE-TO-ASSUME"`
}
