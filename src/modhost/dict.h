// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleDict: a sorted map from byte strings to pointers, private to a module. Iterators keep
// the key they stand at, so they survive changes of the map. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

struct RedisModuleDict {
  // std::string compares bytes as unsigned, which is the order that modules expect.
  std::map<std::string, void*, std::less<>> entries;
};

struct RedisModuleDictIter {
  explicit RedisModuleDictIter(RedisModuleDict* dict_in) : dict(dict_in) {}

  RedisModuleDict* dict;
  // The element that Next and Prev give first; end() when there is none.
  std::map<std::string, void*, std::less<>>::iterator at;
  bool done = false;
  bool fresh = true;    // placed, and nothing given yet
  std::string current;  // key given last, for the C forms
};
