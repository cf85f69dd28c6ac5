#include "transport/io/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/io/listener.h"

using namespace waxwing;

namespace {

struct SocketFolder {
  SocketFolder() {
    char name[] = "/tmp/waxwing-socket-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    path = folder + "/submission";
  }
  ~SocketFolder() {
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
  }
  std::string folder;
  std::string path;
};

int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return descriptor;
}

}  // namespace

TEST_CASE("who connects to a local socket is known by its uid, and octets flow both ways") {
  const SocketFolder folder;
  EventLoop loop;
  const auto descriptor = listen_on_local_socket(folder.path, 0666);
  REQUIRE(descriptor);
  struct stat status {};
  REQUIRE(::stat(folder.path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0666);
  std::unique_ptr<Connection> accepted;
  std::string received;
  auto listener = Listener::adopt(loop, *descriptor, [&](std::unique_ptr<Connection> connection) {
    accepted = std::move(connection);
    Connection::Callbacks callbacks;
    callbacks.on_bytes = [&](std::string_view octets) {
      received += octets;
      accepted->write("pong");
    };
    callbacks.on_drained = [&] { loop.stop(); };
    accepted->set_callbacks(std::move(callbacks));
  });
  REQUIRE(listener);
  const int client = connect_to(folder.path);
  REQUIRE(::write(client, "ping", 4) == 4);
  loop.run();
  CHECK(received == "ping");
  CHECK(accepted->peer_uid() == ::getuid());
  CHECK(accepted->peer().str() == "127.0.0.1:0");
  CHECK(accepted->local().str() == "127.0.0.1:0");
  char answer[4] = {};
  CHECK(::read(client, answer, 4) == 4);
  CHECK(std::string(answer, 4) == "pong");
  ::close(client);
}

TEST_CASE("a socket that somebody serves is a conflict, one that nobody serves is replaced") {
  const SocketFolder folder;
  const auto first = listen_on_local_socket(folder.path, 0600);
  REQUIRE(first);
  const auto second = listen_on_local_socket(folder.path, 0600);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Conflict);
  ::close(*first);
  const auto third = listen_on_local_socket(folder.path, 0600);
  REQUIRE(third);
  ::close(*third);
  CHECK(listen_on_local_socket("/nowhere/at/all", 0600).error().kind == ErrorKind::NotFound);
  CHECK(listen_on_local_socket("/" + std::string(200, 'x'), 0600).error().kind == ErrorKind::Malformed);
}
