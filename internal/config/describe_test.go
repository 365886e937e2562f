// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// describeConfig lists every value that is not zero, one a line.
func describeConfig(c *Config) string {
	var b strings.Builder
	describeValue(&b, "", reflect.ValueOf(*c))
	return b.String()
}

func describeValue(b *strings.Builder, path string, v reflect.Value) {
	switch {
	case v.IsZero():
	case v.Kind() == reflect.Pointer:
		describeValue(b, path, v.Elem())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			describeValue(b, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			describeValue(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case v.Type() == reflect.TypeFor[time.Duration]():
		fmt.Fprintf(b, "%s = %v\n", path, duration(v.Int()))
	case v.Type() == reflect.TypeFor[Secret]():
		fmt.Fprintf(b, "%s = %v\n", path, v.Interface())
	default:
		fmt.Fprintf(b, "%s = %q\n", path, fmt.Sprint(v.Interface()))
	}
}
