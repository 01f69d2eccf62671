package archive

// OpenBy has an Uploader open files of its directory by open, which may fail where the
// file system of a test does not.
func (u *Uploader) OpenBy(open func(name string) (Content, File, error)) { u.open = open }
