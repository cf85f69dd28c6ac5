#include "policy/secret.h"

#include <algorithm>
#include <utility>

#include "policy/wipe.h"

namespace waxwing {

Secret::Secret(std::string_view octets) : octets_(new char[octets.size()]), size_(octets.size()) {
  std::copy(octets.begin(), octets.end(), octets_.get());
}

Secret Secret::zeros(std::size_t size) {
  Secret secret;
  secret.octets_ = std::make_unique<char[]>(size);
  secret.size_ = size;
  return secret;
}

Secret::Secret(Secret&& other) noexcept : octets_(std::move(other.octets_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  octets_ = std::move(other.octets_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Secret::~Secret() {
  wipe();
}

void Secret::wipe() {
  if (octets_) waxwing::wipe(std::span(octets_.get(), size_));
}

}  // namespace waxwing
