"""The national system of petitions (Hệ thống tiếp nhận, xử lý phản ánh, kiến nghị), read for one province."""
