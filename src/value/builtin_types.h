// SPDX-License-Identifier: BSD-3-Clause
// The ValueType objects of the built-in aggregate types. Constants: any thread.
#pragma once

#include "value/value.h"

namespace backplane {

const ValueType& ListValueType();
const ValueType& SetValueType();
const ValueType& ZSetValueType();
const ValueType& HashValueType();
const ValueType& StreamValueType();

// What OBJECT ENCODING answers, each text in one place.
inline constexpr std::string_view kEncodingListpack = "listpack";
inline constexpr std::string_view kEncodingQuicklist = "quicklist";
inline constexpr std::string_view kEncodingIntset = "intset";
inline constexpr std::string_view kEncodingHashtable = "hashtable";
inline constexpr std::string_view kEncodingSkiplist = "skiplist";
inline constexpr std::string_view kEncodingStream = "stream";

}  // namespace backplane
