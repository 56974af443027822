package wiretest

import (
	"fmt"
	"net/url"
	"slices"
)

// members are the elements of a list of structures in a request.
func members(in url.Values, list string, fields ...string) [][]string {
	var all [][]string
	for i := 1; ; i++ {
		prefix := fmt.Sprintf("%s.member.%d.", list, i)
		if in.Get(prefix+fields[0]) == "" {
			return all
		}
		var one []string
		for _, field := range fields {
			one = append(one, in.Get(prefix+field))
		}
		all = append(all, one)
	}
}

// set makes the changes of an update.
func (e *Environment) set(in url.Values) {
	var sent []string
	unset := func(namespace, name string) {
		e.Options = slices.DeleteFunc(e.Options, func(o [3]string) bool { return o[0] == namespace && o[1] == name })
	}
	for _, o := range members(in, "OptionSettings", "Namespace", "OptionName", "Value") {
		unset(o[0], o[1])
		e.Options = append(e.Options, [3]string(o))
		sent = append(sent, o[1]+"="+o[2])
	}
	for _, o := range members(in, "OptionsToRemove", "Namespace", "OptionName") {
		unset(o[0], o[1])
		sent = append(sent, "-"+o[1])
	}
	e.Sent = append(e.Sent, sent)
}

// validate answers with what the environment's Invalid says.
func (a *AWS) validate(in url.Values) ([]element, *refusal) {
	e := a.environment(in)
	var messages []element
	for _, o := range members(in, "OptionSettings", "Namespace", "OptionName", "Value") {
		if message, bad := e.Invalid[o[1]]; bad {
			messages = append(messages, element{"member", []element{
				{"Message", message[1]}, {"Severity", message[0]}, {"Namespace", o[0]}, {"OptionName", o[1]},
			}})
		}
	}
	return []element{{"Messages", messages}}, nil
}
