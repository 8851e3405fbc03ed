// SPDX-License-Identifier: BSD-3-Clause
// EncodingSlot: one word that holds the small form of a value in place (Listpack and Intset are one
// pointer wide) or a pointer to its large form, told apart by the low bits that aligned pointers
// leave free. With it a small value is a vtable pointer and one word: one 16-byte allocation.
//
// A plain holder: the owning value destroys what is inside.
#pragma once

#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "value/intset.h"
#include "value/listpack.h"

namespace backplane {

class EncodingSlot {
 public:
  enum class Form : uintptr_t { kListpack = 0, kIntset = 1, kLarge = 2 };

  EncodingSlot() { SetWord(0); }
  EncodingSlot(const EncodingSlot&) = delete;
  EncodingSlot& operator=(const EncodingSlot&) = delete;

  Form form() const { return static_cast<Form>(Word() & kTagMask); }

  // REQUIRES: form() == kListpack.
  Listpack& listpack() { return *std::launder(reinterpret_cast<Listpack*>(word_)); }
  const Listpack& listpack() const {
    return *std::launder(reinterpret_cast<const Listpack*>(word_));
  }
  // The stored listpack itself stays where it is: the reference is good until the form changes.
  void SetListpack(Listpack pack) { new (word_) Listpack(std::move(pack)); }
  Listpack TakeListpack() { return std::exchange(listpack(), Listpack::Adopt(nullptr)); }

  // REQUIRES: form() == kIntset. The intset is lent out tagless for the time of the call.
  template <class F>
  auto WithIntset(F&& f) {
    Intset ints = TakeIntset();
    struct PutBack {
      EncodingSlot* slot;
      Intset* ints;
      ~PutBack() { slot->SetIntset(std::move(*ints)); }
    } put_back{this, &ints};
    return f(ints);
  }
  template <class F>
  auto WithIntset(F&& f) const {
    Intset ints = Intset::Adopt(Pointer<uint8_t>());
    struct LetGo {
      Intset* ints;
      ~LetGo() { ints->Release(); }
    } let_go{&ints};
    return f(static_cast<const Intset&>(ints));
  }
  void SetIntset(Intset ints) { SetPointer(ints.Release(), Form::kIntset); }
  Intset TakeIntset() {
    Intset ints = Intset::Adopt(Pointer<uint8_t>());
    SetWord(0);
    return ints;
  }

  // REQUIRES: form() == kLarge, and T is what SetLarge was given.
  template <class T>
  T* large() const {
    return Pointer<T>();
  }
  void SetLarge(void* large) { SetPointer(large, Form::kLarge); }

 private:
  static constexpr uintptr_t kTagMask = 3;

  uintptr_t Word() const {
    uintptr_t word;
    std::memcpy(&word, word_, sizeof word);
    return word;
  }
  void SetWord(uintptr_t word) { std::memcpy(word_, &word, sizeof word); }
  template <class T>
  T* Pointer() const {
    return reinterpret_cast<T*>(Word() & ~kTagMask);
  }
  void SetPointer(void* pointer, Form form) {
    SetWord(reinterpret_cast<uintptr_t>(pointer) | static_cast<uintptr_t>(form));
  }

  alignas(8) unsigned char word_[8];
};

static_assert(sizeof(Listpack) == sizeof(void*) && sizeof(Intset) == sizeof(void*));

}  // namespace backplane
