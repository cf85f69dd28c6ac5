#include "policy/input_buffer.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "policy/wipe.h"

namespace waxwing {
namespace {

constexpr std::size_t kLeastCapacity = 256;

}  // namespace

InputBuffer::InputBuffer(InputBuffer&& other) noexcept
    : octets_(std::move(other.octets_)),
      capacity_(std::exchange(other.capacity_, 0)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)) {}

InputBuffer& InputBuffer::operator=(InputBuffer&& other) noexcept {
  if (this == &other) return *this;
  clear();
  octets_ = std::move(other.octets_);
  capacity_ = std::exchange(other.capacity_, 0);
  begin_ = std::exchange(other.begin_, 0);
  end_ = std::exchange(other.end_, 0);
  return *this;
}

InputBuffer::~InputBuffer() {
  clear();
}

void InputBuffer::append(std::string_view octets) {
  if (octets.empty()) return;
  if (capacity_ - end_ < octets.size()) make_room(octets.size());
  std::copy(octets.begin(), octets.end(), octets_.get() + end_);
  end_ += octets.size();
}

// Into new memory also where moving to the front would do: moved octets lie twice where they overlap, and this is rare.
void InputBuffer::make_room(std::size_t count) {
  const std::size_t waiting = size();
  const std::size_t capacity = std::max({kLeastCapacity, 2 * waiting, waiting + count});
  std::unique_ptr<char[]> room(new char[capacity]);
  std::copy_n(octets_.get() + begin_, waiting, room.get());
  clear();
  octets_ = std::move(room);
  capacity_ = capacity;
  end_ = waiting;
}

void InputBuffer::consume(std::size_t count) {
  assert(count <= size());
  if (count == 0) return;
  wipe({octets_.get() + begin_, count});
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

}  // namespace waxwing
